-- Whether each sync is fresh, and how its row count moves between its last two
-- successful runs of one mode. A sync is late after 2 and 4 hours, or 2 and 4 times
-- the longest time between its due times, or as its freshness says.
{{view "reverse_etl_sync_health"}}
WITH state AS (
    {{$newest := "PARTITION BY sync_name ORDER BY last_successful_run DESC NULLS LAST"}}{{pick $newest}} sync_name, last_successful_run, last_synced_record_count
    FROM reverse_etl_sync_state
    WHERE refreshed_at IS NULL OR refreshed_at >= (SELECT MAX(refreshed_at) FROM reverse_etl_sync_state) - {{interval "3 HOURS"}}
    {{picked $newest}}
),
late AS (
    {{$newest := "PARTITION BY sync ORDER BY refreshed_at DESC NULLS LAST"}}{{pick $newest}} sync, warn_minutes, stale_minutes, paused FROM penstock_models
    {{picked $newest}}
),
successes AS (
    SELECT
        sync_name,
        records,
        LAG(records) OVER (PARTITION BY sync_name, mode ORDER BY ended_at, sync_run_id) AS previous,
        ROW_NUMBER() OVER (PARTITION BY sync_name ORDER BY ended_at DESC, sync_run_id DESC) AS place
    FROM (
        SELECT DISTINCT sync_name, sync_run_id, mode, ended_at, {{records ""}} AS records
        FROM penstock_runs
        WHERE {{succeeded ""}}
    ) AS once
),
ended AS (
    SELECT sync_name, outcome, ROW_NUMBER() OVER (PARTITION BY sync_name ORDER BY begun_at DESC, sync_run_id DESC) AS place
    FROM penstock_runs
    WHERE ended_at IS NOT NULL
)
SELECT
    s.sync_name,
    s.last_successful_run,
    {{diff "minutes" "s.last_successful_run" now}} AS minutes_since_last_sync,
    s.last_synced_record_count,
    CASE
        WHEN s.last_successful_run IS NULL THEN 'STALE'
        WHEN {{late "s.last_successful_run" "late.stale_minutes" 240}} THEN 'STALE'
        WHEN {{late "s.last_successful_run" "late.warn_minutes" 120}} THEN 'WARNING'
        ELSE 'HEALTHY'
    END AS freshness_status,
    r.previous AS previous_record_count,
    r.records - r.previous AS record_count_change,
    e.outcome AS last_outcome,
    late.paused
FROM state AS s
LEFT JOIN late ON late.sync = s.sync_name
LEFT JOIN successes AS r ON r.sync_name = s.sync_name AND r.place = 1
LEFT JOIN ended AS e ON e.sync_name = s.sync_name AND e.place = 1
ORDER BY s.sync_name;

-- Every destination at a glance, the worst first. A sync is late after 2 and 6
-- hours, or 2 and 6 times its interval, or as its freshness says; one whose last run
-- delivered nothing of what it got has the highest error rate there is.
{{view "reverse_etl_dashboard"}}
WITH state AS (
    {{$newest := "PARTITION BY sync_id ORDER BY last_successful_sync DESC NULLS LAST, refreshed_at DESC NULLS LAST"}}{{pick $newest}} * FROM multi_destination_sync_state
    WHERE refreshed_at IS NULL OR refreshed_at >= (SELECT MAX(refreshed_at) FROM multi_destination_sync_state) - {{interval "3 HOURS"}}
    {{picked $newest}}
),
late AS (
    {{$newest := "PARTITION BY sync ORDER BY refreshed_at DESC NULLS LAST"}}{{pick $newest}} sync, warn_minutes, dashboard_stale_minutes, paused FROM penstock_models
    {{picked $newest}}
),
ended AS (
    {{$newest := "PARTITION BY sync_name ORDER BY begun_at DESC, sync_run_id DESC"}}{{pick $newest}} sync_name, outcome, retried_delivered FROM penstock_runs
    WHERE ended_at IS NOT NULL
    {{picked $newest}}
),
judged AS (
    SELECT
        s.*,
        e.outcome,
        late.paused,
        CASE
            WHEN s.last_successful_sync IS NULL THEN 'STALE'
            WHEN {{late "s.last_successful_sync" "late.dashboard_stale_minutes" 360}} THEN 'STALE'
            WHEN e.outcome = 'failed' AND e.retried_delivered = 0 THEN 'HIGH_ERROR_RATE'
            WHEN {{float "s.records_failed"}} / NULLIF(s.records_processed, 0) > 0.1 THEN 'HIGH_ERROR_RATE'
            WHEN {{late "s.last_successful_sync" "late.warn_minutes" 120}} THEN 'WARNING'
            ELSE 'HEALTHY'
        END AS health_status
    FROM state AS s
    LEFT JOIN late ON late.sync = s.sync_id
    LEFT JOIN ended AS e ON e.sync_name = s.sync_id
)
SELECT
    destination_name,
    destination_type,
    {{diff "minutes" "last_successful_sync" now}} AS minutes_since_last_sync,
    CASE
        WHEN records_processed > 0 THEN ROUND({{float "records_succeeded"}} / records_processed * 100, 1)
    END AS success_rate_pct,
    CASE
        WHEN sync_duration_seconds > 0 AND records_processed > 0
            THEN ROUND({{float "records_processed"}} / sync_duration_seconds, 2)
    END AS records_per_second,
    health_status,
    last_successful_sync,
    error_summary,
    sync_id,
    outcome AS last_outcome,
    paused
FROM judged
ORDER BY
    CASE health_status WHEN 'STALE' THEN 1 WHEN 'HIGH_ERROR_RATE' THEN 2 WHEN 'WARNING' THEN 3 ELSE 4 END,
    destination_name,
    sync_id;

-- What somebody should look at now, one row per sync. The error rate is the share of
-- rows that the last run did not deliver, if it ended in this hour, or the errors of
-- your own in this hour in relation to the rows synced last, whichever is more: an
-- error belongs to the sync that its run's id begins with. A run that delivered
-- nothing of what it got counts as 100% until the next one. A sync that a person has
-- paused is neither overdue nor has it missed a due time.
{{view "reverse_etl_alerts"}}
WITH late AS (
    {{$newest := "PARTITION BY sync ORDER BY refreshed_at DESC NULLS LAST"}}{{pick $newest}} sync, stale_minutes, missed_at FROM penstock_models
    {{picked $newest}}
),
ended AS (
    {{$newest := "PARTITION BY sync_name ORDER BY begun_at DESC, sync_run_id DESC"}}{{pick $newest}}
        sync_name,
        received,
        {{nothing ""}} AS delivered_nothing,
        CASE
            WHEN ended_at >= {{now}} - {{interval "1 HOUR"}} THEN received - LEAST(received, delivered + unchanged + superseded + retried_delivered)
            ELSE 0
        END AS missed
    FROM penstock_runs
    WHERE ended_at IS NOT NULL
    {{picked $newest}}
),
yours AS (
    SELECT {{syncOf "sync_run_id"}} AS sync_name, COUNT(*) AS errors
    FROM reverse_etl_sync_errors
    WHERE error_ref IS NULL AND occurred_at >= {{now}} - {{interval "1 HOUR"}}
    GROUP BY {{syncOf "sync_run_id"}}
),
first_seen AS (
    SELECT sync_name, MIN(created_at) AS created_at FROM reverse_etl_sync_state GROUP BY sync_name
),
counted AS (
    SELECT
        h.*,
        f.created_at,
        COALESCE(late.stale_minutes, 240) AS stale_minutes,
        late.missed_at,
        COALESCE(r.delivered_nothing, FALSE) AS delivered_nothing,
        CASE WHEN r.received > 0 THEN {{float "r.missed"}} / r.received ELSE 0 END AS missed,
        CASE
            WHEN e.errors > h.last_synced_record_count AND h.last_synced_record_count > 0 THEN 1
            WHEN e.errors > 0 AND h.last_synced_record_count > 0 THEN {{float "e.errors"}} / h.last_synced_record_count
            ELSE 0
        END AS yours
    FROM reverse_etl_sync_health AS h
    LEFT JOIN first_seen AS f ON f.sync_name = h.sync_name
    LEFT JOIN late ON late.sync = h.sync_name
    LEFT JOIN ended AS r ON r.sync_name = h.sync_name
    LEFT JOIN yours AS e ON e.sync_name = h.sync_name
),
judged AS (
    SELECT
        *,
        CASE
            WHEN delivered_nothing THEN 1
            ELSE GREATEST(missed, yours)
        END AS error_rate
    FROM counted
),
messages AS (
    SELECT
        sync_name,
        last_outcome,
        CASE
            WHEN paused IS NULL AND last_successful_run IS NULL AND {{late "created_at" "stale_minutes" 240}}
                THEN 'Sync overdue: ' || sync_name || ' has not succeeded yet'
            WHEN paused IS NULL AND {{late "last_successful_run" "stale_minutes" 240}}
                THEN 'Sync overdue: ' || sync_name || ' last ran ' || {{written (diff "hours" "last_successful_run" now)}} || ' hours ago'
            WHEN paused IS NULL AND missed_at IS NOT NULL
                THEN 'Missed schedule: ' || sync_name || ' was due ' || {{written (diff "minutes" "missed_at" now)}} || ' minutes ago, and no run began'
            WHEN ABS(record_count_change) > previous_record_count * 0.5 AND previous_record_count > 100
                THEN 'Record count anomaly: ' || sync_name || ' synced ' || {{written "last_synced_record_count"}} || ' records vs ' || {{written "previous_record_count"}} || ' previous'
            WHEN error_rate > 0.1
                THEN 'High error rate: ' || sync_name || ' has ' || {{percent "error_rate"}} || '% error rate'
        END AS alert_message
    FROM judged
)
SELECT
    'reverse_etl_alert' AS alert_type,
    sync_name,
    alert_message,
    {{now}} AS alert_time,
    last_outcome
FROM messages
WHERE alert_message IS NOT NULL
ORDER BY sync_name;

-- How old the data is at each destination, and what it lacks. A destination without
-- records has no oldest one; what cannot be known is NULL, and the message says why.
{{view "destination_data_freshness"}}
SELECT
    f.destination_type || '_' || LOWER(f.object) AS destination,
    f.total_records,
    f.updated_1h AS updated_last_hour,
    f.updated_4h AS updated_last_4_hours,
    f.updated_1d AS updated_last_day,
    f.oldest AS oldest_update,
    f.newest AS newest_update,
    {{known "f.missing_columns" "health_score_pct"}} AS missing_health_scores,
    {{known "f.missing_columns" "customer_health_status"}} AS missing_status,
    f.sync_name,
    f.as_of,
    f.message
FROM penstock_destination_freshness AS f
WHERE f.refreshed_at >= (SELECT MAX(refreshed_at) FROM penstock_destination_freshness) - {{interval "3 HOURS"}}
ORDER BY f.sync_name;

-- The share of stale data at each destination, of the records that have a health score;
-- NULL where there are none.
{{view "data_freshness_check"}}
WITH counted AS (
    SELECT
        f.*,
        f.total_records - COALESCE({{known "f.missing_columns" "health_score_pct"}}, 0) AS with_data
    FROM penstock_destination_freshness AS f
    WHERE f.refreshed_at >= (SELECT MAX(refreshed_at) FROM penstock_destination_freshness) - {{interval "3 HOURS"}}
),

-- LEAST passes over a NULL in some warehouses: what is not known would be all of them.
updated AS (
    SELECT
        c.*,
        CASE WHEN c.updated_4h > c.with_data THEN c.with_data ELSE c.updated_4h END AS recent
    FROM counted AS c
)
SELECT
    u.destination_type AS destination,
    u.with_data AS total_records_with_health_data,
    u.recent AS records_updated_recently,
    100 - u.recent * 100.0 / NULLIF(u.with_data, 0) AS stale_data_percentage,
    u.sync_name,
    u.as_of,
    u.message
FROM updated AS u
ORDER BY u.sync_name;
