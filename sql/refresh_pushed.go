package sql

// The steps that keep penstock_pushed, after the runs and their errors are merged. A row
// is remembered when its run is complete and no error names it: so whatever did not
// arrive is pushed again, and so is what a later error says may not be there any more.

// goneByErrors: times are Penstock's own on both sides, so that no clock of the warehouse
// has a say.
const goneByErrors = `
UPDATE penstock_pushed SET gone = 'error'
WHERE gone IS NULL AND sync || '#' || key IN (
    SELECT p.sync || '#' || p.key
    FROM penstock_pushed AS p
    JOIN reverse_etl_sync_errors AS e ON e.record_id = p.key AND {{syncOf "e.sync_run_id"}} = p.sync
    WHERE e.error_ref IS NOT NULL AND e.stage <> 'intake' AND e.occurred_at >= p.pushed_at
)`

// rememberPushed remembers nothing of a run whose errors are not all merged, as where the
// caller's role may not read them. A row that another one of its key took the place of is
// as good as pushed.
const rememberPushed = `
INSERT INTO penstock_pushed (sync, key, {{hash}}, version, run, row_data, pushed_at)
SELECT s.sync, {{text "s.answer" "record_id"}}, s.hash, s.version, s.run, s.row_data, r.begun_at
FROM penstock_pushing AS s
JOIN (
    SELECT sync_run_id, MAX(begun_at) AS begun_at, MAX(failed) AS failed, MAX(retried_delivered) AS retried_delivered
    FROM penstock_runs WHERE status = 'complete' AND refreshed_at IS NOT NULL GROUP BY sync_run_id
) AS r ON r.sync_run_id = s.run
LEFT JOIN (
    SELECT DISTINCT sync_run_id, record_id FROM reverse_etl_sync_errors WHERE error_ref IS NOT NULL
) AS e ON e.sync_run_id = s.run AND e.record_id = {{text "s.answer" "record_id"}}
LEFT JOIN (
    SELECT sync_run_id, COUNT(DISTINCT error_ref) AS failures FROM reverse_etl_sync_errors WHERE error_ref IS NOT NULL AND stage <> 'intake' GROUP BY sync_run_id
) AS c ON c.sync_run_id = s.run
LEFT JOIN (
    SELECT DISTINCT o.run, o.key, o.hash FROM penstock_pushed AS o
) AS a ON a.run = s.run AND a.key = {{text "s.answer" "record_id"}} AND a.hash = s.hash
WHERE {{text "s.answer" "status"}} IN ('queued', 'superseded')
  AND e.record_id IS NULL AND a.run IS NULL AND s.hash IS NOT NULL
  AND COALESCE(c.failures, 0) + r.retried_delivered >= r.failed`

// forgetGone keeps what was delivered last of a row that has failed since.
const forgetGone = `
DELETE FROM penstock_pushed
WHERE gone IN (SELECT r.sync_run_id FROM penstock_runs AS r WHERE r.status = 'complete' AND r.refreshed_at IS NOT NULL)
  AND gone || '#' || key NOT IN (
    SELECT e.sync_run_id || '#' || e.record_id FROM reverse_etl_sync_errors AS e
    WHERE e.error_ref IS NOT NULL AND e.sync_run_id IS NOT NULL AND e.record_id IS NOT NULL
)`

const forgetSent = `
DELETE FROM penstock_pushing
WHERE run IN (SELECT r.sync_run_id FROM penstock_runs AS r WHERE r.ended_at IS NOT NULL AND r.refreshed_at IS NOT NULL)
   OR pushed_at < {{days 30}}`
