-- The monitoring tables. CALL penstock_refresh() merges into them what Penstock
-- knows of syncs, runs and errors; penstock_run ends with it. Rows that you insert
-- stay: those that penstock_refresh wrote have a refreshed_at, or an error_ref, and
-- are deleted by it after 30 days. Every {{timestamp}} is in UTC.

-- The applied syncs: what each reads, where it goes, and after how many minutes
-- without a success it is late.
CREATE TABLE IF NOT EXISTS penstock_models (
    sync                    {{string 255}},
    model                   {{string 0}},
    cursor_column           {{string 0}}, -- grows with every change of a row; NULL: every run pushes all rows
    destination_name        {{string 100}},
    destination_type        {{string 50}},
    interval_minutes        INTEGER, -- the longest time between due times; 0 without sync_frequency
    warn_minutes            INTEGER,
    stale_minutes           INTEGER,
    dashboard_stale_minutes INTEGER,
    store_source            {{string 0}}, -- none, mapped, all
    refreshed_at            {{timestamp}},
    paused                  {{string 0}}, -- since when, by whom and why a person has paused the sync; NULL: it is not
    missed_at               {{timestamp}} -- the due time at which no run began; NULL: there is none
);
{{added "penstock_models" "paused" (string 0)}}
{{added "penstock_models" "missed_at" timestamp}}

-- The runs of the last 30 days.
CREATE TABLE IF NOT EXISTS penstock_runs (
    sync_name         {{string 255}},
    sync_run_id       {{string 255}},
    mode              {{string 0}}, -- incremental, full
    status            {{string 0}}, -- open, finishing, complete, incomplete, cancelled, failed, blocked (by its gate)
    outcome           {{string 0}}, -- by its rows, once it has ended: succeeded, partial, failed
    reason            {{string 0}},
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
    refreshed_at      {{timestamp}},
    gate_decision     {{string 0}}, -- PROCEED, WARN_CONTINUE, BLOCK_SYNC; NULL: no quality gate was asked
    gate_counts       {{json}} -- its total, and of each rule the failed rows, their share, the thresholds
);
{{added "penstock_runs" "gate_decision" (string 0)}}
{{added "penstock_runs" "gate_counts" json}}

-- When each sync last succeeded, and with how many rows at the destination.
CREATE TABLE IF NOT EXISTS reverse_etl_sync_state (
    sync_name                {{string 255}}{{key}},
    last_successful_run      {{timestamp}},
    last_synced_record_count INTEGER,
    created_at               {{timestamp}} DEFAULT {{default}},
    updated_at               {{timestamp}} DEFAULT {{default}},
    refreshed_at             {{timestamp}}
);

-- Every row that was not delivered, with the reason; store_source says what of the
-- row is kept.
CREATE TABLE IF NOT EXISTS reverse_etl_sync_errors (
    sync_run_id   {{string 255}},
    record_id     {{string 0}},
    error_type    {{string 100}},
    error_message {{long}},
    source_data   {{json}},
    occurred_at   {{timestamp}} DEFAULT {{default}},
    field         {{string 0}},
    stage         {{string 0}}, -- intake, match, deliver, deadletter; connection: not of a row, while its rows wait
    error_ref     {{string 0}}  -- names the error at Penstock; NULL in your own rows
);

-- One row per sync and destination: its last run, and its last success.
CREATE TABLE IF NOT EXISTS multi_destination_sync_state (
    sync_id               {{string 255}}{{key}},
    destination_name      {{string 100}},
    destination_type      {{string 50}},
    last_successful_sync  {{timestamp}},
    last_attempted_sync   {{timestamp}},
    records_processed     INTEGER,
    records_succeeded     INTEGER,
    records_failed        INTEGER,
    sync_duration_seconds INTEGER,
    error_summary         {{long}},
    created_at            {{timestamp}} DEFAULT {{default}},
    updated_at            {{timestamp}} DEFAULT {{default}},
    refreshed_at          {{timestamp}}
);

-- How old the data of each sync is at its destination: the records of the object by the
-- age of the field that freshness.destination_field names, as they were counted at as_of.
-- NULL is not known; the message says why.
CREATE TABLE IF NOT EXISTS penstock_destination_freshness (
    sync_name        {{string 255}}{{key}},
    destination_name {{string 100}},
    destination_type {{string 50}},
    object           {{string 0}},
    field            {{string 0}},
    as_of            {{timestamp}},
    total_records    BIGINT, -- with a value in the field
    updated_1h       BIGINT,
    updated_4h       BIGINT,
    updated_1d       BIGINT,
    oldest           {{timestamp}},
    newest           {{timestamp}},
    missing          {{json}}, -- of total_records, how many have nothing in each mapped field
    missing_columns  {{json}}, -- the same by the model's columns
    message          {{long}},
    refreshed_at     {{timestamp}}
);

-- What penstock_refresh has read and not merged yet.
CREATE TABLE IF NOT EXISTS penstock_pages (
    refresh {{string 0}},
    kind    {{string 0}}, -- syncs, status, errors, freshness
    name    {{string 0}}, -- a sync or a run
    since   {{string 0}},
    page    INTEGER,
    answer  {{json}},
    read_at {{timestamp}} DEFAULT {{default}}
);

-- Of syncs with changed_only: what was pushed of each row, in a run that is complete. A
-- row is pushed again unless its hash stands here. Dropping it costs calls alone.
CREATE TABLE IF NOT EXISTS penstock_pushed (
    sync      {{string 255}},
    key       {{string 0}}, -- the record id
    {{hash}}      {{string 0}}, -- of what the row says in the columns that the definition reads
    version   {{string 0}}, -- of the definition
    run       {{string 255}},
    row_data  {{json}}, -- NULL with store_source: none
    pushed_at {{timestamp}}, -- when the run began
    gone      {{string 255}} -- the run that found another row in its place, or none; NULL: it is as it was
);

-- The same of what is on its way: penstock_refresh takes it over once its run is complete,
-- without the rows that failed.
CREATE TABLE IF NOT EXISTS penstock_pushing (
    sync      {{string 255}},
    run       {{string 255}},
    answer    {{json}},
    {{hash}}      {{string 0}},
    version   {{string 0}},
    row_data  {{json}},
    pushed_at {{timestamp}} DEFAULT {{default}}
);
