package sql

// The steps of the runs: those that may have changed are read page by page, and merged
// after their errors.

// readStatus asks each sync for its runs since the first that is not settled, or the
// last one; an hour before that, since a batch that comes late reopens a run. What was in hand
// when a run was ended is settled after its end.
const readStatus = `
INSERT INTO penstock_pages (refresh, kind, name, since, page, answer)
SELECT $refresh, 'status', s.sync, s.since, 0, {{answer (printf "penstock_status(s.sync, s.since, %s)" noText)}}
FROM (
    SELECT g.sync, {{iso (printf "GREATEST(g.oldest, COALESCE(r.unsettled, r.newest, g.oldest) - %s)" (interval "1 HOUR"))}} AS since
    FROM (
        SELECT {{text element "sync"}} AS sync, {{days 30}} AS oldest
        FROM penstock_pages AS p, {{each "p.answer" "syncs" "u"}}
        WHERE p.refresh = $refresh AND p.kind = 'syncs'
    ) AS g
    LEFT JOIN (
        SELECT
            sync_name,
            MIN(CASE
                WHEN ended_at IS NULL OR (due > 0 AND ended_at >= {{days 14}}) OR (status = 'incomplete' AND ended_at >= {{days 3}})
                    OR (status <> 'complete' AND ended_at >= {{days 14}}
                        AND received > delivered + unchanged + superseded + rejected + blocked + failed + cancelled) THEN begun_at
            END) AS unsettled,
            MAX(begun_at) AS newest
        FROM penstock_runs
        WHERE refreshed_at IS NOT NULL
        GROUP BY sync_name
    ) AS r ON r.sync_name = g.sync
) AS s`

// theRuns are the runs that were read, each once.
const theRuns = `{{$newest := (printf "PARTITION BY %s ORDER BY p.page DESC" (text element "run"))}}{{pick $newest}}
        p.name AS sync_name,
        {{text element "run"}} AS sync_run_id,
        {{text element "mode"}} AS mode,
        {{text element "status"}} AS status,
        {{text element "outcome"}} AS outcome,
        {{text element "reason"}} AS reason,
        {{at element "begun_at"}} AS begun_at,
        {{at element "ended_at"}} AS ended_at,
        {{count element "counts.received"}} AS received,
        {{count element "counts.delivered"}} AS delivered,
        {{count element "counts.unchanged"}} AS unchanged,
        {{count element "counts.superseded"}} AS superseded,
        {{count element "counts.rejected"}} AS rejected,
        {{count element "counts.blocked"}} AS blocked,
        {{count element "counts.failed"}} AS failed,
        {{count element "counts.cancelled"}} AS cancelled,
        {{count element "counts.calls"}} AS api_calls,
        {{count element "due"}} + {{count element "retrying"}} AS due,
        {{count element "retried_delivered"}} AS retried_delivered,
        {{text element "gate.decision"}} AS gate_decision,
        {{object element "gate"}} AS gate_counts
    FROM penstock_pages AS p, {{each "p.answer" "runs" "u"}}
    WHERE p.refresh = $refresh AND p.kind = 'status'
    {{picked $newest}}`

// mergeRuns never lets what retries delivered fall: the runs of old ones are not read
// again.
var mergeRuns = merging{
	table:  "penstock_runs",
	source: `    ` + theRuns + ``,
	key:    "sync_run_id", of: "sync_run_id",
	set: `mode = g.mode, status = g.status, outcome = g.outcome, reason = g.reason, begun_at = g.begun_at, ended_at = g.ended_at,
    received = g.received, delivered = g.delivered, unchanged = g.unchanged, superseded = g.superseded, rejected = g.rejected,
    blocked = g.blocked, failed = g.failed, cancelled = g.cancelled, api_calls = g.api_calls, due = g.due,
    gate_decision = g.gate_decision, gate_counts = g.gate_counts,
    retried_delivered = GREATEST(COALESCE(t.retried_delivered, 0), g.retried_delivered), refreshed_at = {{now}}`,
	columns: `sync_name, sync_run_id, mode, status, outcome, reason, begun_at, ended_at, received, delivered, unchanged, superseded, rejected, blocked, failed, cancelled, api_calls, due, retried_delivered, gate_decision, gate_counts, refreshed_at`,
	values:  `g.sync_name, g.sync_run_id, g.mode, g.status, g.outcome, g.reason, g.begun_at, g.ended_at, g.received, g.delivered, g.unchanged, g.superseded, g.rejected, g.blocked, g.failed, g.cancelled, g.api_calls, g.due, g.retried_delivered, g.gate_decision, g.gate_counts, {{now}}`,
}
