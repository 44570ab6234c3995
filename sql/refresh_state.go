package sql

import "fmt"

// The steps of the sample's tables of state, made of the runs that are merged.

// successes are the last success of each sync.
const successes = `{{$newest := "PARTITION BY r.sync_name ORDER BY r.ended_at DESC, r.sync_run_id DESC"}}{{pick $newest}} r.sync_name, r.ended_at, {{records "r."}} AS records
        FROM penstock_runs AS r
        WHERE {{succeeded "r."}}
        {{picked $newest}}`

// keepYours is the row's own value until the sync has succeeded since.
const keepYours = `CASE WHEN g.ended_at IS NULL OR t.%[1]s > g.ended_at THEN t.%[2]s ELSE g.%[3]s END`

var mergeState = merging{
	table: "reverse_etl_sync_state",
	source: `    SELECT s.sync, r.ended_at, r.records
    FROM (
    ` + theSyncs + `
    ) AS s
    LEFT JOIN (
        ` + successes + `
    ) AS r ON r.sync_name = s.sync`,
	key: "sync_name", of: "sync",
	set: `last_synced_record_count = ` + fmt.Sprintf(keepYours, "last_successful_run", "last_synced_record_count", "records") + `,
    updated_at = CASE WHEN g.ended_at > t.last_successful_run OR (g.ended_at IS NOT NULL AND t.last_successful_run IS NULL) THEN {{now}} ELSE t.updated_at END,
    last_successful_run = ` + fmt.Sprintf(keepYours, "last_successful_run", "last_successful_run", "ended_at") + `,
    refreshed_at = CASE WHEN t.refreshed_at IS NOT NULL THEN {{now}} END`,
	columns: `sync_name, last_successful_run, last_synced_record_count, created_at, updated_at, refreshed_at`,
	values:  `g.sync, g.ended_at, g.records, {{now}}, {{now}}, {{now}}`,
}

// mergeDestinations counts the last run that has ended, or as long as there is none
// what has settled of the first; superseded rows are right by the row that took their
// place. A run that delivered nothing of what it got failed with all of it.
var mergeDestinations = merging{
	table: "multi_destination_sync_state",
	source: `    SELECT
        s.sync, m.destination_name, m.destination_type, w.ended_at, n.begun_at,
        c.processed, c.succeeded, c.processed - c.succeeded AS failed, c.seconds,
        CASE
            WHEN n.ended_at IS NULL AND n.reason IS NOT NULL THEN n.reason
            WHEN c.reason IS NOT NULL THEN c.reason
            WHEN c.processed > c.succeeded THEN {{written "c.rejected"}} || ' rejected, ' || {{written "c.blocked"}} || ' blocked, ' || {{written "c.failed"}} || ' failed, '
                || {{written "c.cancelled"}} || ' cancelled; see reverse_etl_sync_errors'
        END AS error_summary
    FROM (
    ` + theSyncs + `
    ) AS s
    LEFT JOIN (
        SELECT sync, MAX(destination_name) AS destination_name, MAX(destination_type) AS destination_type FROM penstock_models GROUP BY sync
    ) AS m ON m.sync = s.sync
    LEFT JOIN (
        ` + successes + `
    ) AS w ON w.sync_name = s.sync
    LEFT JOIN (
        {{$newest := "PARTITION BY r.sync_name ORDER BY r.begun_at DESC, r.sync_run_id DESC"}}{{pick $newest}} r.sync_name, r.begun_at, r.ended_at, r.reason FROM penstock_runs AS r
        {{picked $newest}}
    ) AS n ON n.sync_name = s.sync
    LEFT JOIN (
        SELECT
            q.*,
            CASE WHEN {{nothing "q."}} THEN 0 ELSE LEAST(q.processed, q.delivered + q.unchanged + q.superseded + q.retried_delivered) END AS succeeded
        FROM (
            {{$newest := "PARTITION BY r.sync_name ORDER BY CASE WHEN r.ended_at IS NULL THEN 1 ELSE 0 END, r.begun_at DESC, r.sync_run_id DESC"}}{{pick $newest}}
                r.*,
                CASE
                    WHEN r.ended_at IS NOT NULL THEN r.received
                    ELSE r.delivered + r.unchanged + r.superseded + r.rejected + r.blocked + r.failed + r.cancelled
                END AS processed,
                {{diff "seconds" "r.begun_at" "r.ended_at"}} AS seconds
            FROM penstock_runs AS r
            {{picked $newest}}
        ) AS q
    ) AS c ON c.sync_name = s.sync`,
	key: "sync_id", of: "sync",
	set: `destination_name = CASE WHEN t.refreshed_at IS NULL THEN COALESCE(t.destination_name, g.destination_name) ELSE g.destination_name END,
    destination_type = CASE WHEN t.refreshed_at IS NULL THEN COALESCE(t.destination_type, g.destination_type) ELSE g.destination_type END,
    last_successful_sync = ` + fmt.Sprintf(keepYours, "last_successful_sync", "last_successful_sync", "ended_at") + `,
    last_attempted_sync = COALESCE(g.begun_at, t.last_attempted_sync),
    records_processed = CASE WHEN g.begun_at IS NULL THEN t.records_processed ELSE g.processed END,
    records_succeeded = CASE WHEN g.begun_at IS NULL THEN t.records_succeeded ELSE g.succeeded END,
    records_failed = CASE WHEN g.begun_at IS NULL THEN t.records_failed ELSE g.failed END,
    sync_duration_seconds = CASE WHEN g.begun_at IS NULL THEN t.sync_duration_seconds ELSE g.seconds END,
    error_summary = CASE WHEN g.begun_at IS NULL THEN t.error_summary ELSE g.error_summary END,
    updated_at = CASE WHEN g.begun_at > t.last_attempted_sync OR g.ended_at > t.last_successful_sync OR (g.begun_at IS NOT NULL AND t.last_attempted_sync IS NULL)
        THEN {{now}} ELSE t.updated_at END,
    refreshed_at = CASE WHEN t.refreshed_at IS NOT NULL THEN {{now}} END`,
	columns: `sync_id, destination_name, destination_type, last_successful_sync, last_attempted_sync, records_processed, records_succeeded, records_failed, sync_duration_seconds, error_summary, created_at, updated_at, refreshed_at`,
	values:  `g.sync, g.destination_name, g.destination_type, g.ended_at, g.begun_at, g.processed, g.succeeded, g.failed, g.seconds, g.error_summary, {{now}}, {{now}}, {{now}}`,
}
