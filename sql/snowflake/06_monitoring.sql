-- 6. Monitoring, asked of Penstock when a view is read: penstock_status and
-- penstock_errors. A view calls once for each sync in penstock_models, so list
-- there what is applied, and nothing else: a sync that Penstock does not know
-- fails the query.

-- The last runs of every sync.
CREATE OR REPLACE VIEW penstock_runs AS
WITH answers AS (
    SELECT sync, penstock_status(sync) AS answer FROM penstock_models
)
SELECT
    a.sync                               AS sync_name,
    f.value:id::VARCHAR                  AS sync_run_id,
    f.value:status::VARCHAR              AS status,
    f.value:reason::VARCHAR              AS reason,
    CONVERT_TIMEZONE('UTC', TO_TIMESTAMP_TZ(f.value:begun_at::VARCHAR))::TIMESTAMP_NTZ AS begun_at,
    CONVERT_TIMEZONE('UTC', TO_TIMESTAMP_TZ(f.value:ended_at::VARCHAR))::TIMESTAMP_NTZ AS ended_at,
    f.value:counts:received::NUMBER      AS received,
    f.value:counts:delivered::NUMBER     AS delivered,
    f.value:counts:unchanged::NUMBER     AS unchanged,
    f.value:counts:superseded::NUMBER    AS superseded,
    f.value:counts:rejected::NUMBER      AS rejected,
    f.value:counts:blocked::NUMBER       AS blocked,
    f.value:counts:failed::NUMBER        AS failed,
    f.value:counts:calls::NUMBER         AS api_calls
FROM answers a, LATERAL FLATTEN(INPUT => a.answer:runs) f;

-- When each sync last succeeded, and with how many rows at the destination.
CREATE OR REPLACE VIEW reverse_etl_sync_state AS
SELECT
    m.sync                                                                    AS sync_name,
    MAX(IFF(r.status = 'complete', r.ended_at, NULL))                         AS last_successful_run,
    MAX_BY(r.delivered + r.unchanged, IFF(r.status = 'complete', r.ended_at, NULL)) AS last_synced_record_count,
    MIN(r.begun_at)                                                           AS created_at,
    MAX(COALESCE(r.ended_at, r.begun_at))                                     AS updated_at
FROM penstock_models m
LEFT JOIN penstock_runs r ON r.sync_name = m.sync
GROUP BY m.sync;

-- Every row of the last runs that was not delivered, with the reason; and where a
-- connection fails, an entry of stage connection without a record, while its rows
-- still wait. Only runs that can have errors are asked about.
CREATE OR REPLACE VIEW reverse_etl_sync_errors AS
WITH answers AS (
    SELECT sync_run_id, penstock_errors(sync_run_id) AS answer FROM penstock_runs
    WHERE rejected + blocked + failed > 0 OR reason IS NOT NULL
)
SELECT
    a.sync_run_id,
    f.value:record_id::VARCHAR     AS record_id,
    f.value:error_type::VARCHAR    AS error_type,
    f.value:error_message::VARCHAR AS error_message,
    f.value:field::VARCHAR         AS field,
    f.value:stage::VARCHAR         AS stage,
    f.value:source_data            AS source_data,
    CONVERT_TIMEZONE('UTC', TO_TIMESTAMP_TZ(f.value:occurred_at::VARCHAR))::TIMESTAMP_NTZ AS occurred_at
FROM answers a, LATERAL FLATTEN(INPUT => a.answer:errors) f;

-- Whether each sync is fresh, and how its row count moves. Stale after 4 hours,
-- a warning after 2.
CREATE OR REPLACE VIEW reverse_etl_sync_health AS
WITH complete AS (
    SELECT
        sync_name,
        ended_at,
        delivered + unchanged AS records,
        LAG(delivered + unchanged) OVER (PARTITION BY sync_name ORDER BY ended_at) AS previous,
        ROW_NUMBER() OVER (PARTITION BY sync_name ORDER BY ended_at DESC) AS age
    FROM penstock_runs
    WHERE status = 'complete'
)
SELECT
    m.sync     AS sync_name,
    c.ended_at AS last_successful_run,
    DATEDIFF('minute', c.ended_at, SYSDATE()) AS minutes_since_last_sync,
    c.records  AS last_synced_record_count,
    CASE
        WHEN c.ended_at IS NULL OR c.ended_at < DATEADD('hour', -4, SYSDATE()) THEN 'STALE'
        WHEN c.ended_at < DATEADD('hour', -2, SYSDATE()) THEN 'WARNING'
        ELSE 'HEALTHY'
    END        AS freshness_status,
    c.previous AS previous_record_count,
    c.records - c.previous AS record_count_change
FROM penstock_models m
LEFT JOIN complete c ON c.sync_name = m.sync AND c.age = 1;

-- One line per sync and destination: the newest run, and the last success.
CREATE OR REPLACE VIEW multi_destination_sync_state AS
WITH runs AS (
    SELECT r.*, ROW_NUMBER() OVER (PARTITION BY sync_name ORDER BY begun_at DESC) AS age FROM penstock_runs r
),
success AS (
    SELECT sync_name, MAX(ended_at) AS succeeded_at FROM runs WHERE status = 'complete' GROUP BY sync_name
)
SELECT
    m.sync                     AS sync_id,
    m.destination_name,
    m.destination_type,
    s.succeeded_at             AS last_successful_sync,
    r.begun_at                 AS last_attempted_sync,
    r.received                 AS records_processed,
    r.delivered + r.unchanged  AS records_succeeded,
    r.rejected + r.blocked + r.failed AS records_failed,
    DATEDIFF('second', r.begun_at, r.ended_at) AS sync_duration_seconds,
    CASE
        WHEN r.reason IS NOT NULL THEN r.reason
        WHEN r.rejected + r.blocked + r.failed > 0
            THEN r.rejected || ' rejected, ' || r.blocked || ' blocked, ' || r.failed || ' failed; see reverse_etl_sync_errors'
    END                        AS error_summary
FROM penstock_models m
LEFT JOIN runs r ON r.sync_name = m.sync AND r.age = 1
LEFT JOIN success s ON s.sync_name = m.sync;
