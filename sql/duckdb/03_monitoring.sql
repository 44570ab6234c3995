-- Monitoring, asked of Penstock when a view is read: penstock_status and
-- penstock_errors. A view calls once for each sync in penstock_models, so list
-- there what is applied, and nothing else: a sync that Penstock does not know
-- fails the query.

-- Which model a sync reads, and where it goes.
CREATE TABLE IF NOT EXISTS penstock_models (
    sync             VARCHAR PRIMARY KEY,
    model            VARCHAR NOT NULL,
    cursor_column    VARCHAR, -- NULL: every run pushes all rows
    destination_name VARCHAR,
    destination_type VARCHAR
);

INSERT OR IGNORE INTO penstock_models VALUES
    ('sf_health', 'salesforce_customer_health_sync', 'updated_at', 'Salesforce', 'CRM'),
    ('slack_alerts', 'slack_health_alerts', 'alert_time', 'Slack', 'Notifications');

-- The last runs of every sync, newest first.
CREATE OR REPLACE VIEW penstock_runs AS
WITH answers AS MATERIALIZED (
    SELECT sync, penstock_status(sync) AS answer FROM penstock_models
),
runs AS (
    SELECT sync, unnest(CAST(json_extract(answer, '$.runs') AS JSON[])) AS r FROM answers
)
SELECT
    sync                                                         AS sync_name,
    r->>'id'                                                     AS sync_run_id,
    r->>'status'                                                 AS status,
    r->>'reason'                                                 AS reason,
    CAST(CAST(r->>'begun_at' AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS TIMESTAMP) AS begun_at,
    CAST(CAST(r->>'ended_at' AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS TIMESTAMP) AS ended_at,
    CAST(r->>'$.counts.received' AS BIGINT)                      AS received,
    CAST(r->>'$.counts.delivered' AS BIGINT)                     AS delivered,
    CAST(r->>'$.counts.unchanged' AS BIGINT)                     AS unchanged,
    CAST(r->>'$.counts.superseded' AS BIGINT)                    AS superseded,
    CAST(r->>'$.counts.rejected' AS BIGINT)                      AS rejected,
    CAST(r->>'$.counts.blocked' AS BIGINT)                       AS blocked,
    CAST(r->>'$.counts.failed' AS BIGINT)                        AS failed,
    CAST(r->>'$.counts.calls' AS BIGINT)                         AS api_calls
FROM runs
ORDER BY sync_name, begun_at DESC;

-- When each sync last succeeded, and with how many rows at the destination.
CREATE OR REPLACE VIEW reverse_etl_sync_state AS
SELECT
    m.sync                                                                       AS sync_name,
    max(r.ended_at) FILTER (r.status = 'complete')                               AS last_successful_run,
    max_by(r.delivered + r.unchanged, r.ended_at) FILTER (r.status = 'complete') AS last_synced_record_count,
    min(r.begun_at)                                                              AS created_at,
    max(coalesce(r.ended_at, r.begun_at))                                        AS updated_at
FROM penstock_models m
LEFT JOIN penstock_runs r ON r.sync_name = m.sync
GROUP BY m.sync;

-- Every row of the last runs that was not delivered, with the reason; and where a
-- connection fails, an entry of stage connection without a record, while its rows
-- still wait. Only runs that can have errors are asked about.
CREATE OR REPLACE VIEW reverse_etl_sync_errors AS
WITH answers AS MATERIALIZED (
    SELECT sync_run_id, penstock_errors(sync_run_id) AS answer FROM penstock_runs
    WHERE rejected + blocked + failed > 0 OR reason IS NOT NULL
),
errors AS (
    SELECT sync_run_id, unnest(CAST(json_extract(answer, '$.errors') AS JSON[])) AS e FROM answers
)
SELECT
    sync_run_id,
    e->>'record_id'     AS record_id,
    e->>'error_type'    AS error_type,
    e->>'error_message' AS error_message,
    e->>'field'         AS field,
    e->>'stage'         AS stage,
    e->'source_data'    AS source_data,
    CAST(CAST(e->>'occurred_at' AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS TIMESTAMP) AS occurred_at
FROM errors;

-- Whether each sync is fresh, and how its row count moves. Stale after 4 hours,
-- a warning after 2.
CREATE OR REPLACE VIEW reverse_etl_sync_health AS
WITH complete AS (
    SELECT
        sync_name,
        ended_at,
        delivered + unchanged AS records,
        lag(delivered + unchanged) OVER (PARTITION BY sync_name ORDER BY ended_at) AS previous,
        row_number() OVER (PARTITION BY sync_name ORDER BY ended_at DESC) AS age
    FROM penstock_runs
    WHERE status = 'complete'
)
SELECT
    m.sync     AS sync_name,
    c.ended_at AS last_successful_run,
    date_diff('minute', c.ended_at, CURRENT_TIMESTAMP AT TIME ZONE 'UTC') AS minutes_since_last_sync,
    c.records  AS last_synced_record_count,
    CASE
        WHEN c.ended_at IS NULL OR c.ended_at < (CURRENT_TIMESTAMP AT TIME ZONE 'UTC') - INTERVAL 4 HOURS THEN 'STALE'
        WHEN c.ended_at < (CURRENT_TIMESTAMP AT TIME ZONE 'UTC') - INTERVAL 2 HOURS THEN 'WARNING'
        ELSE 'HEALTHY'
    END        AS freshness_status,
    c.previous AS previous_record_count,
    c.records - c.previous AS record_count_change
FROM penstock_models m
LEFT JOIN complete c ON c.sync_name = m.sync AND c.age = 1
ORDER BY sync_name;

-- One line per sync and destination: the newest run, and the last success.
CREATE OR REPLACE VIEW multi_destination_sync_state AS
WITH runs AS MATERIALIZED (
    SELECT *, row_number() OVER (PARTITION BY sync_name ORDER BY begun_at DESC) AS age FROM penstock_runs
),
success AS (
    SELECT sync_name, max(ended_at) AS at FROM runs WHERE status = 'complete' GROUP BY sync_name
)
SELECT
    m.sync                     AS sync_id,
    m.destination_name,
    m.destination_type,
    s.at                       AS last_successful_sync,
    r.begun_at                 AS last_attempted_sync,
    r.received                 AS records_processed,
    r.delivered + r.unchanged  AS records_succeeded,
    r.rejected + r.blocked + r.failed AS records_failed,
    date_diff('second', r.begun_at, r.ended_at) AS sync_duration_seconds,
    CASE
        WHEN r.reason IS NOT NULL THEN r.reason
        WHEN r.rejected + r.blocked + r.failed > 0
            THEN r.rejected || ' rejected, ' || r.blocked || ' blocked, ' || r.failed || ' failed; see reverse_etl_sync_errors'
    END                        AS error_summary
FROM penstock_models m
LEFT JOIN runs r ON r.sync_name = m.sync AND r.age = 1
LEFT JOIN success s ON s.sync_name = m.sync
ORDER BY sync_id;
