-- The layout of a store. Bodies are JSON unless said otherwise; times are Unix
-- nanoseconds; a revision is that of the body, for compare and set.
CREATE TABLE version (
  sync TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (sync, id)
) WITHOUT ROWID;
-- latest is the bracketed run that was begun last, sequence the last number given.
CREATE TABLE sync (
  name TEXT PRIMARY KEY,
  current TEXT NOT NULL DEFAULT '', latest TEXT NOT NULL DEFAULT '', sequence INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- body is the settings; account and epoch are the pin, which outlives them.
CREATE TABLE connection (
  name TEXT PRIMARY KEY, body TEXT NOT NULL, account TEXT NOT NULL DEFAULT '', epoch INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE pace (name TEXT PRIMARY KEY, revision INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE bucket (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE halt (
  sync TEXT NOT NULL, version TEXT NOT NULL, revision INTEGER NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (sync, version)
) WITHOUT ROWID;
CREATE TABLE pause (sync TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
-- What people did; at is when.
CREATE TABLE audit (
  at INTEGER NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (at, id)
) WITHOUT ROWID;
CREATE TABLE alert (sync TEXT PRIMARY KEY, revision INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE mark (
  sync TEXT NOT NULL, target TEXT NOT NULL, col TEXT NOT NULL, revision INTEGER NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (sync, target, col)
) WITHOUT ROWID;

CREATE TABLE run (
  id TEXT PRIMARY KEY, sync TEXT NOT NULL, begun INTEGER NOT NULL, revision INTEGER NOT NULL,
  open INTEGER NOT NULL, body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX run_recent ON run (sync, begun);
-- open is 1 while a run goes on, 2 while its last rows are counted. It stands in the index so
-- that listing ids looks into no row; files of before have it without.
CREATE INDEX run_open ON run (id, open) WHERE open;

-- A batch without sent, which changes after it is pinned.
CREATE TABLE batch (
  run TEXT NOT NULL, id TEXT NOT NULL, sent INTEGER NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (run, id)
) WITHOUT ROWID;
CREATE TABLE chunk (
  run TEXT NOT NULL, batch TEXT NOT NULL, idx INTEGER NOT NULL, done INTEGER NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (run, batch, idx)
) WITHOUT ROWID;

CREATE TABLE target (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
-- What many ledger entries share, so that each of them is small.
CREATE TABLE origin (
  id INTEGER PRIMARY KEY, version TEXT NOT NULL, run TEXT NOT NULL,
  UNIQUE (version, run)
);
-- A leaf: the entries of the slots from its own to the next row's, as appendPending writes
-- them. An entry's slot is the target's id and a hash of the key.
CREATE TABLE ledger (slot INTEGER PRIMARY KEY, body BLOB NOT NULL);
INSERT INTO ledger (slot, body) VALUES (0, x'');
-- What was committed but not yet sorted into the table ledger, a row a commit; seq
-- is the commit's number, the revision of its entries; body is appendPending's.
CREATE TABLE pending (seq INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL);

-- Which keys were written for a record id, of syncs that delete; target is its number,
-- record what stands for the id in an entry (ledger.RecordOf).
CREATE TABLE claim (
  target INTEGER NOT NULL, record INTEGER NOT NULL, key TEXT NOT NULL,
  PRIMARY KEY (target, record, key)
) WITHOUT ROWID;
-- Those not yet sorted into the table claim, a row a commit; waiting is how many they
-- are with those of the commits before, body is what claims.add makes.
CREATE TABLE claimed (seq INTEGER PRIMARY KEY, target INTEGER NOT NULL, waiting INTEGER NOT NULL, body BLOB NOT NULL);

-- Which batches are counted for their run's gate; the body of the batch '' is the sums.
CREATE TABLE gate (
  run TEXT NOT NULL, batch TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (run, batch)
) WITHOUT ROWID;

-- Of a mirror's full run: the keys that it saw, as run.AppendSeen's hashes, and the keys
-- that left the model, a JSON list of texts in base64.
CREATE TABLE seen (
  run TEXT NOT NULL, batch TEXT NOT NULL, part INTEGER NOT NULL, hashes BLOB NOT NULL,
  PRIMARY KEY (run, batch, part)
) WITHOUT ROWID;
-- The keys that a message left unchanged, as the same hashes, for run.KeepUnchanged.
CREATE TABLE unchanged (
  run TEXT NOT NULL, batch TEXT NOT NULL, idx INTEGER NOT NULL, at INTEGER NOT NULL, hashes BLOB NOT NULL,
  PRIMARY KEY (run, batch, idx)
) WITHOUT ROWID;
CREATE INDEX unchanged_at ON unchanged (at);
CREATE TABLE gone (
  run TEXT NOT NULL, page INTEGER NOT NULL, keys TEXT NOT NULL,
  PRIMARY KEY (run, page)
) WITHOUT ROWID;

-- source is envelope's PackSource.
CREATE TABLE error (
  run TEXT NOT NULL, batch TEXT NOT NULL, row INTEGER NOT NULL, sync TEXT NOT NULL, attempts INTEGER NOT NULL,
  body TEXT NOT NULL, source BLOB NOT NULL,
  PRIMARY KEY (run, batch, row)
) WITHOUT ROWID;
-- The errors by time, of each sync and of all (list '*'): run.Listed, one entry for those
-- that were stored together; key is time and id.
CREATE TABLE error_list (
  list TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (list, key)
) WITHOUT ROWID;
CREATE TABLE due (
  sync TEXT NOT NULL, at INTEGER NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (sync, at, id)
) WITHOUT ROWID;

-- How old the data of a sync is at its destination.
CREATE TABLE freshness (sync TEXT PRIMARY KEY, revision INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;

-- What a page of all syncs shows of each, put together by the sweeper.
CREATE TABLE overview (sync TEXT PRIMARY KEY, revision INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
-- What was found of a sync's records and schema at its destination.
CREATE TABLE verification (sync TEXT PRIMARY KEY, revision INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;

-- The due times of schedules.
CREATE TABLE firing (
  sync TEXT NOT NULL, at INTEGER NOT NULL, revision INTEGER NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (sync, at)
) WITHOUT ROWID;

-- Bodies lie apart, so that a change of visibility does not rewrite them.
CREATE TABLE message (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  queue TEXT NOT NULL, grp TEXT NOT NULL, sent INTEGER NOT NULL,
  visible INTEGER NOT NULL DEFAULT 0, receives INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX message_queue ON message (queue);
CREATE INDEX message_hidden ON message (queue, visible);
CREATE INDEX message_sent ON message (sent);
CREATE TABLE body (seq INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE dedup (
  queue TEXT NOT NULL, id TEXT NOT NULL, until INTEGER NOT NULL,
  PRIMARY KEY (queue, id)
) WITHOUT ROWID;
CREATE INDEX dedup_until ON dedup (until);
