-- The monitoring tables. CALL penstock_refresh() merges into them what Penstock
-- knows of syncs, runs and errors; penstock_run ends with it. Rows that you insert
-- stay: those that penstock_refresh wrote have a refreshed_at, or an error_ref, and
-- are deleted by it after 30 days. Every {{timestamp}} is in UTC.

-- The applied syncs: what each reads, where it goes, and after how many minutes
-- without a success it is late.
CREATE TABLE IF NOT EXISTS penstock_models (
    sync                    VARCHAR(255),
    model                   VARCHAR,
    cursor_column           VARCHAR, -- grows with every change of a row; NULL: every run pushes all rows
    destination_name        VARCHAR(100),
    destination_type        VARCHAR(50),
    interval_minutes        INTEGER, -- the longest time between due times; 0 without sync_frequency
    warn_minutes            INTEGER,
    stale_minutes           INTEGER,
    dashboard_stale_minutes INTEGER,
    store_source            VARCHAR, -- none, mapped, all
    refreshed_at            {{timestamp}}
);

-- The runs of the last 30 days.
CREATE TABLE IF NOT EXISTS penstock_runs (
    sync_name         VARCHAR(255),
    sync_run_id       VARCHAR(255),
    mode              VARCHAR, -- incremental, full
    status            VARCHAR, -- open, finishing, complete, incomplete, cancelled, failed
    outcome           VARCHAR, -- by its rows, once it has ended: succeeded, partial, failed
    reason            VARCHAR,
    begun_at          {{timestamp}},
    ended_at          {{timestamp}},
    received          BIGINT,
    delivered         BIGINT,
    unchanged         BIGINT,
    superseded        BIGINT,
    rejected          BIGINT,
    blocked           BIGINT,
    failed            BIGINT,
    cancelled         BIGINT,
    api_calls         BIGINT,
    due               BIGINT, -- failed rows that are sent again by themselves
    retried_delivered BIGINT, -- failed rows that a retry has delivered since
    refreshed_at      {{timestamp}}
);

-- When each sync last succeeded, and with how many rows at the destination.
CREATE TABLE IF NOT EXISTS reverse_etl_sync_state (
    sync_name                VARCHAR(255){{key}},
    last_successful_run      {{timestamp}},
    last_synced_record_count INTEGER,
    created_at               {{timestamp}} DEFAULT {{default}},
    updated_at               {{timestamp}} DEFAULT {{default}},
    refreshed_at             {{timestamp}}
);

-- Every row that was not delivered, with the reason; store_source says what of the
-- row is kept.
CREATE TABLE IF NOT EXISTS reverse_etl_sync_errors (
    sync_run_id   VARCHAR(255),
    record_id     VARCHAR,
    error_type    VARCHAR(100),
    error_message TEXT,
    source_data   {{json}},
    occurred_at   {{timestamp}} DEFAULT {{default}},
    field         VARCHAR,
    stage         VARCHAR, -- intake, match, deliver, deadletter; connection: not of a row, while its rows wait
    error_ref     VARCHAR  -- names the error at Penstock; NULL in your own rows
);

-- One row per sync and destination: its last run, and its last success.
CREATE TABLE IF NOT EXISTS multi_destination_sync_state (
    sync_id               VARCHAR(255){{key}},
    destination_name      VARCHAR(100),
    destination_type      VARCHAR(50),
    last_successful_sync  {{timestamp}},
    last_attempted_sync   {{timestamp}},
    records_processed     INTEGER,
    records_succeeded     INTEGER,
    records_failed        INTEGER,
    sync_duration_seconds INTEGER,
    error_summary         TEXT,
    created_at            {{timestamp}} DEFAULT {{default}},
    updated_at            {{timestamp}} DEFAULT {{default}},
    refreshed_at          {{timestamp}}
);

-- What penstock_refresh has read and not merged yet.
CREATE TABLE IF NOT EXISTS penstock_pages (
    refresh VARCHAR,
    kind    VARCHAR, -- syncs, status, errors
    name    VARCHAR, -- a sync or a run
    since   VARCHAR,
    page    INTEGER,
    answer  {{json}},
    read_at {{timestamp}} DEFAULT {{default}}
);
