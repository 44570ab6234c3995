-- The layout of a store. Bodies are JSON unless said otherwise; times are Unix
-- nanoseconds.
CREATE TABLE version (
  sync TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (sync, id)
) WITHOUT ROWID;
CREATE TABLE sync (
  name TEXT PRIMARY KEY,
  current TEXT NOT NULL DEFAULT '', active TEXT NOT NULL DEFAULT '', watermark TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;

CREATE TABLE run (
  id TEXT PRIMARY KEY, sync TEXT NOT NULL, begun INTEGER NOT NULL, revision INTEGER NOT NULL,
  open INTEGER NOT NULL, body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX run_recent ON run (sync, begun);
CREATE INDEX run_open ON run (id) WHERE open;

-- A batch without sent and chunks, which change after it is pinned.
CREATE TABLE batch (
  run TEXT NOT NULL, id TEXT NOT NULL, sent INTEGER NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (run, id)
) WITHOUT ROWID;
-- body is a chunk's result, '' until one is recorded.
CREATE TABLE chunk (
  run TEXT NOT NULL, batch TEXT NOT NULL, idx INTEGER NOT NULL,
  body TEXT NOT NULL DEFAULT '', deferrals INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (run, batch, idx)
) WITHOUT ROWID;

CREATE TABLE target (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
-- What many ledger entries share, so that each of them is small.
CREATE TABLE origin (
  id INTEGER PRIMARY KEY, version TEXT NOT NULL, run TEXT NOT NULL,
  UNIQUE (version, run)
);
-- slot is the target's id and a hash of the key, or a free slot after it; value is
-- appendEntry's.
CREATE TABLE ledger (slot INTEGER PRIMARY KEY, value BLOB NOT NULL);
-- What was committed but not yet sorted into the table ledger, a row a commit; body
-- is appendPending's.
CREATE TABLE pending (seq INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL);

CREATE TABLE error (
  run TEXT NOT NULL, batch TEXT NOT NULL, row INTEGER NOT NULL, body TEXT NOT NULL, source BLOB NOT NULL,
  PRIMARY KEY (run, batch, row)
) WITHOUT ROWID;

CREATE TABLE bucket (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;

-- Bodies lie apart, so that a change of visibility does not rewrite them.
CREATE TABLE message (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  queue TEXT NOT NULL, grp TEXT NOT NULL, sent INTEGER NOT NULL,
  visible INTEGER NOT NULL, receives INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX message_queue ON message (queue);
CREATE INDEX message_hidden ON message (queue, visible);
CREATE TABLE body (seq INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE dedup (
  queue TEXT NOT NULL, id TEXT NOT NULL, until INTEGER NOT NULL,
  PRIMARY KEY (queue, id)
) WITHOUT ROWID;
CREATE INDEX dedup_until ON dedup (until);
