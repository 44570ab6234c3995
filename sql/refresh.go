package sql

import (
	"fmt"
	"strings"
)

// A RefreshStep is one statement of penstock_refresh; of a group with Pages it is done
// again, with $page one more each time, until the group's first step says that nothing
// is pending.
type RefreshStep struct {
	Step
	Table string // that it merges into, for the answer; "" for none
}

// A RefreshGroup is steps that are done in order: once, or where Pending is given for
// every page. $refresh names this refresh, $page the page, from 0 on.
type RefreshGroup struct {
	Pending Step // answers how many pages come after $page; without it the group is done once
	Steps   []RefreshStep
}

// RefreshGroups are the statements of penstock_refresh, the same in all dialects. Each
// does no harm when it is done twice, and a run is merged after its errors: so a
// refresh that died is made good by the next. How far back it reads is told by what is
// merged already: the runs of a sync that are not settled, and those since the last.
func RefreshGroups() ([]RefreshGroup, error) {
	b := refreshBuilder{}
	groups := []RefreshGroup{
		{Steps: []RefreshStep{
			b.step("tidy", "", tidyPages),
			b.step("read the syncs", "", readSyncs),
			b.step("models beside yours", "", besideYours("penstock_models", "sync")),
			b.step("models", "penstock_models", mergeModels),
			b.step("read the runs", "", readStatus),
		}},
		{Pending: b.pending("status"), Steps: []RefreshStep{b.step("read older runs", "", nextPage("status", "penstock_status(p.name, p.since, %s)"))}},
		{Steps: []RefreshStep{
			b.step("read the errors", "", readErrors),
			b.step("errors", "reverse_etl_sync_errors", mergeErrors("0")),
		}},
		{Pending: b.pending("errors"), Steps: []RefreshStep{
			b.step("read more errors", "", nextPage("errors", "penstock_errors(p.name, %s, p.since)")),
			b.step("more errors", "reverse_etl_sync_errors", mergeErrors("$page + 1")),
			b.step("drop what is merged", "", dropMerged),
		}},
		{Steps: []RefreshStep{
			b.step("runs", "penstock_runs", mergeRuns),
			b.step("rows that failed since", "", goneByErrors),
			b.step("rows that were pushed", "penstock_pushed", rememberPushed),
			b.step("rows that are gone", "", forgetGone),
			b.step("rows on their way", "", forgetSent),
			b.step("connections that ended", "", endedConnections),
			b.step("sources that are not kept", "", dropSources),
			b.step("state beside yours", "", besideYours("reverse_etl_sync_state", "sync_name")),
			b.step("state", "reverse_etl_sync_state", mergeState),
			b.step("destinations beside yours", "", besideYours("multi_destination_sync_state", "sync_id")),
			b.step("destinations", "multi_destination_sync_state", mergeDestinations),
			b.step("read the freshness", "", readFreshness),
			b.step("freshness", "penstock_destination_freshness", mergeFreshness),
			b.step("old freshness", "", "DELETE FROM penstock_destination_freshness WHERE refreshed_at < {{days 30}}"),
			b.step("old errors", "", "DELETE FROM reverse_etl_sync_errors WHERE error_ref IS NOT NULL AND occurred_at < {{days 30}}"),
			b.step("old runs", "", "DELETE FROM penstock_runs WHERE refreshed_at IS NOT NULL AND COALESCE(ended_at, begun_at) < {{days 30}}"),
			b.step("old state", "", "DELETE FROM reverse_etl_sync_state WHERE refreshed_at < {{days 30}}"),
			b.step("old destinations", "", "DELETE FROM multi_destination_sync_state WHERE refreshed_at < {{days 30}}"),
			b.step("old models", "", "DELETE FROM penstock_models WHERE refreshed_at < {{days 30}}"),
			b.step("done", "", "DELETE FROM penstock_pages WHERE refresh = $refresh"),
		}},
	}
	return groups, b.err
}

// loop is how a dialect's procedure repeats a group, page by page.
type loop struct{ first, while, next, end string }

var loops = map[Dialect]loop{
	Snowflake: {"page := 0;", "WHILE (pending > 0) DO", "page := page + 1;", "END WHILE;"},
	Redshift:  {"v_page := 0;", "WHILE v_pending > 0 LOOP", "v_page := v_page + 1;", "END LOOP;"},
	BigQuery:  {"SET v_page = 0;", "WHILE v_pending > 0 DO", "SET v_page = v_page + 1;", "END WHILE;"},
}

// refreshScript is the body of the dialect's procedure, by the same list.
func (d speech) refreshScript() (string, error) {
	words := loops[d.name]
	groups, err := RefreshGroups()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	write := func(indent int, text string) {
		for line := range strings.SplitSeq(text, "\n") {
			b.WriteString(strings.TrimRight(strings.Repeat("    ", indent)+line, " ") + "\n")
		}
	}
	for _, g := range groups {
		if g.Pending.Into == nil {
			for _, s := range g.Steps {
				write(1, "-- "+string(s.Name))
				write(1, d.scripting(s.Step))
			}
			continue
		}
		write(1, words.first)
		write(1, d.scripting(g.Pending))
		write(1, words.while)
		for _, s := range g.Steps {
			write(2, "-- "+string(s.Name))
			write(2, d.scripting(s.Step))
		}
		write(2, words.next)
		write(2, d.scripting(g.Pending))
		write(1, words.end)
	}
	return strings.TrimRight(b.String(), "\n"), nil
}

// A refreshBuilder renders steps in all dialects and keeps the first fault.
type refreshBuilder struct{ err error }

func (b *refreshBuilder) step(name, table, text string) RefreshStep {
	return RefreshStep{Step: b.of(name, text, nil), Table: table}
}

// pending counts the pages of a kind that come after $page.
func (b *refreshBuilder) pending(kind string) Step {
	return b.of("pending "+kind, "SELECT COUNT(*) FROM penstock_pages AS p WHERE p.refresh = $refresh AND p.kind = '"+kind+
		"' AND p.page = $page AND {{"+next+"}} IS NOT NULL", []string{"pending"})
}

func (b *refreshBuilder) of(name, text string, into []string) Step {
	s := Step{Name: StepName(name), Into: into}
	for _, in := range []struct {
		speech
		text *Text
	}{{snow, &s.Snowflake}, {duck, &s.DuckDB}, {shift, &s.Redshift}, {query, &s.BigQuery}} {
		rendered, err := in.render(name, strings.TrimSpace(text), nil)
		if err == nil {
			rendered, err = in.upsert(rendered)
		}
		if err != nil && b.err == nil {
			b.err = fmt.Errorf("penstock_refresh: %w", err)
		}
		if list, rest, found := strings.Cut(strings.TrimPrefix(rendered, "SELECT "), " FROM "); into != nil && found {
			*in.text = Text{Select: list, Rest: "FROM " + rest}
		} else {
			in.text.Rest = rendered
		}
	}
	return s
}

// next is where the answer of a page goes on.
const next = `(text "p.answer" "next")`

const tidyPages = `DELETE FROM penstock_pages WHERE refresh = $refresh OR read_at < {{days 1}}`

const readSyncs = `
INSERT INTO penstock_pages (refresh, kind, page, answer)
SELECT $refresh, 'syncs', 0, {{answer "penstock_syncs()"}}`

// nextPage reads the pages after $page.
func nextPage(kind, call string) string {
	return `
INSERT INTO penstock_pages (refresh, kind, name, since, page, answer)
SELECT $refresh, '` + kind + `', p.name, p.since, p.page + 1, {{answer (printf "` + call + `" ` + next + `)}}
FROM penstock_pages AS p
WHERE p.refresh = $refresh AND p.kind = '` + kind + `' AND p.page = $page AND {{` + next + `}} IS NOT NULL`
}

// besideYours drops a row of ours where there is one that was inserted by hand.
func besideYours(table, key string) string {
	return "DELETE FROM " + table + " WHERE refreshed_at IS NOT NULL AND " + key + " IN (SELECT y." + key + " FROM " + table + " AS y WHERE y.refreshed_at IS NULL)"
}

// dropMerged keeps of the errors only the last page, from which reading goes on.
const dropMerged = `DELETE FROM penstock_pages WHERE refresh = $refresh AND kind = 'errors' AND page <= $page`

// theSyncs are the applied syncs, each once.
const theSyncs = `SELECT
        {{text element "sync"}} AS sync,
        {{text element "model"}} AS model,
        {{text element "cursor"}} AS cursor_column,
        {{text element "connection"}} AS destination_name,
        {{text element "type"}} AS destination_type,
        {{count element "interval_minutes"}} AS interval_minutes,
        {{count element "warn_minutes"}} AS warn_minutes,
        {{count element "stale_minutes"}} AS stale_minutes,
        {{count element "dashboard_stale_minutes"}} AS dashboard_stale_minutes,
        {{text element "store_source"}} AS store_source
    FROM penstock_pages AS p, {{each "p.answer" "syncs" "u"}}
    WHERE p.refresh = $refresh AND p.kind = 'syncs'`

// mergeModels keeps what you wrote into a row of yours.
const mergeModels = `
MERGE INTO penstock_models AS t
USING (
    ` + theSyncs + `
) AS g
ON t.sync = g.sync
WHEN MATCHED THEN UPDATE SET
    model = CASE WHEN t.refreshed_at IS NULL THEN COALESCE(t.model, g.model) ELSE g.model END,
    cursor_column = CASE WHEN t.refreshed_at IS NULL THEN COALESCE(t.cursor_column, g.cursor_column) ELSE g.cursor_column END,
    destination_name = CASE WHEN t.refreshed_at IS NULL THEN COALESCE(t.destination_name, g.destination_name) ELSE g.destination_name END,
    destination_type = CASE WHEN t.refreshed_at IS NULL THEN COALESCE(t.destination_type, g.destination_type) ELSE g.destination_type END,
    interval_minutes = g.interval_minutes,
    warn_minutes = g.warn_minutes,
    stale_minutes = g.stale_minutes,
    dashboard_stale_minutes = g.dashboard_stale_minutes,
    store_source = g.store_source,
    refreshed_at = CASE WHEN t.refreshed_at IS NOT NULL THEN {{now}} END
WHEN NOT MATCHED THEN INSERT
    (sync, model, cursor_column, destination_name, destination_type, interval_minutes, warn_minutes, stale_minutes, dashboard_stale_minutes, store_source, refreshed_at)
    VALUES (g.sync, g.model, g.cursor_column, g.destination_name, g.destination_type, g.interval_minutes, g.warn_minutes, g.stale_minutes, g.dashboard_stale_minutes, g.store_source, {{now}})`

// readStatus asks each sync for its runs since the first that is not settled, or the
// last one; an hour before that, since a batch that comes late reopens a run.
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
                WHEN ended_at IS NULL OR (due > 0 AND ended_at >= {{days 14}}) OR (status = 'incomplete' AND ended_at >= {{days 3}}) THEN begun_at
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

// readErrors asks about the runs that may have errors and have changed: whole once a
// run has ended, before that only for what is new.
const readErrors = `
INSERT INTO penstock_pages (refresh, kind, name, since, page, answer)
SELECT $refresh, 'errors', c.sync_run_id, c.since, 0, {{answer (printf "penstock_errors(c.sync_run_id, %s, c.since)" noText)}}
FROM (
    SELECT r.sync_run_id, CASE WHEN r.ended_at IS NULL THEN {{iso (printf "e.latest - %s" (interval "10 MINUTES"))}} END AS since
    FROM (
    ` + theRuns + `
    ) AS r
    LEFT JOIN penstock_runs AS t ON t.sync_run_id = r.sync_run_id AND t.refreshed_at IS NOT NULL
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
        OR t.rejected + t.blocked + t.failed <> r.rejected + r.blocked + r.failed
        OR t.due <> r.due
        OR t.retried_delivered <> r.retried_delivered
        OR t.status <> r.status
        OR COALESCE(t.reason, '') <> COALESCE(r.reason, '')
      )
) AS c`

// mergeErrors merges one page of every run.
func mergeErrors(page string) string {
	return `
MERGE INTO reverse_etl_sync_errors AS t
USING (
    SELECT
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
    ) AS m ON m.sync = {{text "u.value" "sync"}}
) AS g
ON t.error_ref = g.error_ref
WHEN MATCHED THEN UPDATE SET
    record_id = g.record_id, error_type = g.error_type, error_message = g.error_message, source_data = g.source_data,
    occurred_at = g.occurred_at, field = g.field, stage = g.stage
WHEN NOT MATCHED THEN INSERT
    (sync_run_id, record_id, error_type, error_message, source_data, occurred_at, field, stage, error_ref)
    VALUES (g.sync_run_id, g.record_id, g.error_type, g.error_message, g.source_data, g.occurred_at, g.field, g.stage, g.error_ref)`
}

// mergeRuns never lets what retries delivered fall: the runs of old ones are not read
// again.
const mergeRuns = `
MERGE INTO penstock_runs AS t
USING (
    ` + theRuns + `
) AS g
ON t.sync_run_id = g.sync_run_id
WHEN MATCHED THEN UPDATE SET
    mode = g.mode, status = g.status, outcome = g.outcome, reason = g.reason, begun_at = g.begun_at, ended_at = g.ended_at,
    received = g.received, delivered = g.delivered, unchanged = g.unchanged, superseded = g.superseded, rejected = g.rejected,
    blocked = g.blocked, failed = g.failed, cancelled = g.cancelled, api_calls = g.api_calls, due = g.due,
    gate_decision = g.gate_decision, gate_counts = g.gate_counts,
    retried_delivered = GREATEST(COALESCE(t.retried_delivered, 0), g.retried_delivered), refreshed_at = {{now}}
WHEN NOT MATCHED THEN INSERT
    (sync_name, sync_run_id, mode, status, outcome, reason, begun_at, ended_at, received, delivered, unchanged, superseded, rejected, blocked, failed, cancelled, api_calls, due, retried_delivered, gate_decision, gate_counts, refreshed_at)
    VALUES (g.sync_name, g.sync_run_id, g.mode, g.status, g.outcome, g.reason, g.begun_at, g.ended_at, g.received, g.delivered, g.unchanged, g.superseded, g.rejected, g.blocked, g.failed, g.cancelled, g.api_calls, g.due, g.retried_delivered, g.gate_decision, g.gate_counts, {{now}})`

const endedConnections = `
DELETE FROM reverse_etl_sync_errors
WHERE error_ref IS NOT NULL AND stage = 'connection'
  AND sync_run_id IN (SELECT r.sync_run_id FROM penstock_runs AS r WHERE r.ended_at IS NOT NULL)`

const dropSources = `
UPDATE reverse_etl_sync_errors SET source_data = NULL
WHERE error_ref IS NOT NULL AND source_data IS NOT NULL
  AND {{syncOf "sync_run_id"}} IN (SELECT m.sync FROM penstock_models AS m WHERE m.store_source = 'none')`

// successes are the last success of each sync.
const successes = `{{$newest := "PARTITION BY r.sync_name ORDER BY r.ended_at DESC, r.sync_run_id DESC"}}{{pick $newest}} r.sync_name, r.ended_at, {{records "r."}} AS records
        FROM penstock_runs AS r
        WHERE {{succeeded "r."}}
        {{picked $newest}}`

// keepYours is the row's own value until the sync has succeeded since.
const keepYours = `CASE WHEN g.ended_at IS NULL OR t.%[1]s > g.ended_at THEN t.%[2]s ELSE g.%[3]s END`

var mergeState = `
MERGE INTO reverse_etl_sync_state AS t
USING (
    SELECT s.sync, r.ended_at, r.records
    FROM (
    ` + theSyncs + `
    ) AS s
    LEFT JOIN (
        ` + successes + `
    ) AS r ON r.sync_name = s.sync
) AS g
ON t.sync_name = g.sync
WHEN MATCHED THEN UPDATE SET
    last_synced_record_count = ` + fmt.Sprintf(keepYours, "last_successful_run", "last_synced_record_count", "records") + `,
    updated_at = CASE WHEN g.ended_at > t.last_successful_run OR (g.ended_at IS NOT NULL AND t.last_successful_run IS NULL) THEN {{now}} ELSE t.updated_at END,
    last_successful_run = ` + fmt.Sprintf(keepYours, "last_successful_run", "last_successful_run", "ended_at") + `,
    refreshed_at = CASE WHEN t.refreshed_at IS NOT NULL THEN {{now}} END
WHEN NOT MATCHED THEN INSERT
    (sync_name, last_successful_run, last_synced_record_count, created_at, updated_at, refreshed_at)
    VALUES (g.sync, g.ended_at, g.records, {{now}}, {{now}}, {{now}})`

// mergeDestinations counts the last run that has ended, or as long as there is none
// what has settled of the first; superseded rows are right by the row that took their
// place. A run that delivered nothing of what it got failed with all of it.
var mergeDestinations = `
MERGE INTO multi_destination_sync_state AS t
USING (
    SELECT
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
    ) AS c ON c.sync_name = s.sync
) AS g
ON t.sync_id = g.sync
WHEN MATCHED THEN UPDATE SET
    destination_name = CASE WHEN t.refreshed_at IS NULL THEN COALESCE(t.destination_name, g.destination_name) ELSE g.destination_name END,
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
    refreshed_at = CASE WHEN t.refreshed_at IS NOT NULL THEN {{now}} END
WHEN NOT MATCHED THEN INSERT
    (sync_id, destination_name, destination_type, last_successful_sync, last_attempted_sync, records_processed, records_succeeded, records_failed, sync_duration_seconds, error_summary, created_at, updated_at, refreshed_at)
    VALUES (g.sync, g.destination_name, g.destination_type, g.ended_at, g.begun_at, g.processed, g.succeeded, g.failed, g.seconds, g.error_summary, {{now}}, {{now}}, {{now}})`

// readFreshness asks for each sync how old its data at the destination is.
const readFreshness = `
INSERT INTO penstock_pages (refresh, kind, name, page, answer)
SELECT $refresh, 'freshness', s.sync, 0, {{answer "penstock_freshness(s.sync)"}}
FROM (
    SELECT {{text element "sync"}} AS sync
    FROM penstock_pages AS p, {{each "p.answer" "syncs" "u"}}
    WHERE p.refresh = $refresh AND p.kind = 'syncs'
) AS s`

const mergeFreshness = `
MERGE INTO penstock_destination_freshness AS t
USING (
    SELECT
        p.name AS sync_name,
        {{text "p.answer" "connection"}} AS destination_name,
        {{text "p.answer" "type"}} AS destination_type,
        {{text "p.answer" "object"}} AS object,
        {{text "p.answer" "field"}} AS field,
        {{at "p.answer" "as_of"}} AS as_of,
        {{known "p.answer" "total"}} AS total_records,
        {{known "p.answer" "updated_1h"}} AS updated_1h,
        {{known "p.answer" "updated_4h"}} AS updated_4h,
        {{known "p.answer" "updated_1d"}} AS updated_1d,
        {{at "p.answer" "oldest"}} AS oldest,
        {{at "p.answer" "newest"}} AS newest,
        {{object "p.answer" "missing"}} AS missing,
        {{object "p.answer" "missing_columns"}} AS missing_columns,
        {{text "p.answer" "message"}} AS message
    FROM penstock_pages AS p
    WHERE p.refresh = $refresh AND p.kind = 'freshness'
) AS g
ON t.sync_name = g.sync_name
WHEN MATCHED THEN UPDATE SET
    destination_name = g.destination_name, destination_type = g.destination_type, object = g.object, field = g.field, as_of = g.as_of,
    total_records = g.total_records, updated_1h = g.updated_1h, updated_4h = g.updated_4h, updated_1d = g.updated_1d,
    oldest = g.oldest, newest = g.newest, missing = g.missing, missing_columns = g.missing_columns, message = g.message, refreshed_at = {{now}}
WHEN NOT MATCHED THEN INSERT
    (sync_name, destination_name, destination_type, object, field, as_of, total_records, updated_1h, updated_4h, updated_1d, oldest, newest, missing, missing_columns, message, refreshed_at)
    VALUES (g.sync_name, g.destination_name, g.destination_type, g.object, g.field, g.as_of, g.total_records, g.updated_1h, g.updated_4h, g.updated_1d, g.oldest, g.newest, g.missing, g.missing_columns, g.message, {{now}})`
