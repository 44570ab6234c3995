package sql

// The steps of the errors, page by page: a row that was not delivered, with its reason.

// dropMerged keeps of the errors only the last page, from which reading goes on.
const dropMerged = `DELETE FROM penstock_pages WHERE refresh = $refresh AND kind = 'errors' AND page <= $page`

// readErrors asks about the runs that may have errors and have changed: whole once a
// run has ended, before that only for what is new. A run that two refreshes at once put in
// is one run.
const readErrors = `
INSERT INTO penstock_pages (refresh, kind, name, since, page, answer)
SELECT $refresh, 'errors', c.sync_run_id, c.since, 0, {{answer (printf "penstock_errors(c.sync_run_id, %s, c.since)" noText)}}
FROM (
    SELECT r.sync_run_id, CASE WHEN r.ended_at IS NULL THEN {{iso (printf "e.latest - %s" (interval "10 MINUTES"))}} END AS since
    FROM (
    ` + theRuns + `
    ) AS r
    LEFT JOIN (
        SELECT sync_run_id, MAX(rejected + blocked + failed) AS wrong, MAX(due) AS due, MAX(retried_delivered) AS retried_delivered,
            MAX(status) AS status, MAX(reason) AS reason
        FROM penstock_runs WHERE refreshed_at IS NOT NULL GROUP BY sync_run_id
    ) AS t ON t.sync_run_id = r.sync_run_id
    LEFT JOIN (
        SELECT sync_run_id, MAX(occurred_at) AS latest FROM reverse_etl_sync_errors WHERE error_ref IS NOT NULL GROUP BY sync_run_id
    ) AS e ON e.sync_run_id = r.sync_run_id
    WHERE (r.rejected + r.blocked + r.failed > 0 OR r.reason IS NOT NULL)
      AND r.sync_name IN (
        SELECT {{text element "sync"}}
        FROM penstock_pages AS p, {{each "p.answer" "syncs" "u"}}
        WHERE p.refresh = $refresh AND p.kind = 'syncs' AND COALESCE({{text element "may_read_errors"}}, 'true') = 'true'
      )
      AND (
        t.sync_run_id IS NULL
        OR t.wrong <> r.rejected + r.blocked + r.failed
        OR t.due <> r.due
        OR t.retried_delivered <> r.retried_delivered
        OR t.status <> r.status
        OR COALESCE(t.reason, '') <> COALESCE(r.reason, '')
      )
) AS c`

// mergeErrors merges one page of every run.
func mergeErrors(page string) merging {
	return merging{
		table: "reverse_etl_sync_errors",
		source: `    SELECT
        {{text "u.value" "run"}} AS sync_run_id,
        {{text "u.value" "record_id"}} AS record_id,
        {{text "u.value" "error_type"}} AS error_type,
        {{text "u.value" "error_message"}} AS error_message,
        CASE WHEN COALESCE(m.store_source, '') <> 'none' THEN {{object "u.value" "source_data"}} END AS source_data,
        {{at "u.value" "occurred_at"}} AS occurred_at,
        {{text "u.value" "field"}} AS field,
        {{text "u.value" "stage"}} AS stage,
        {{text "u.value" "run"}} || '#' || {{text "u.value" "batch"}} || '#' || {{text "u.value" "row"}} AS error_ref
    FROM (
        SELECT {{elements}}
        FROM penstock_pages AS p, {{each "p.answer" "errors" "u"}}
        WHERE p.refresh = $refresh AND p.kind = 'errors' AND p.page = ` + page + `
    ) AS u
    LEFT JOIN (
        SELECT sync, MAX(store_source) AS store_source FROM penstock_models GROUP BY sync
    ) AS m ON m.sync = {{text "u.value" "sync"}}`,
		key: "error_ref", of: "error_ref",
		set: `record_id = g.record_id, error_type = g.error_type, error_message = g.error_message, source_data = g.source_data,
    occurred_at = g.occurred_at, field = g.field, stage = g.stage`,
		columns: `sync_run_id, record_id, error_type, error_message, source_data, occurred_at, field, stage, error_ref`,
		values:  `g.sync_run_id, g.record_id, g.error_type, g.error_message, g.source_data, g.occurred_at, g.field, g.stage, g.error_ref`,
	}
}

const endedConnections = `
DELETE FROM reverse_etl_sync_errors
WHERE error_ref IS NOT NULL AND stage = 'connection'
  AND sync_run_id IN (SELECT r.sync_run_id FROM penstock_runs AS r WHERE r.ended_at IS NOT NULL)`

const dropSources = `
UPDATE reverse_etl_sync_errors SET source_data = NULL
WHERE error_ref IS NOT NULL AND source_data IS NOT NULL
  AND {{syncOf "sync_run_id"}} IN (SELECT m.sync FROM penstock_models AS m WHERE m.store_source = 'none')`
