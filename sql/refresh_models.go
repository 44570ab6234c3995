package sql

// The steps of what is applied: the syncs are read once, and each is a model.

const readSyncs = `
INSERT INTO penstock_pages (refresh, kind, page, answer)
SELECT $refresh, 'syncs', 0, {{answer "penstock_syncs()"}}`

// moreSyncs are read where an answer has a bound that many syncs pass.
func moreSyncs(d speech) string {
	if d.name != Redshift {
		return ""
	}
	return nextPage("syncs", "penstock_syncs(%s)")
}

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
        {{text element "store_source"}} AS store_source,
        {{text element "paused"}} AS paused,
        {{at element "missed_at"}} AS missed_at
    FROM penstock_pages AS p, {{each "p.answer" "syncs" "u"}}
    WHERE p.refresh = $refresh AND p.kind = 'syncs'`

// mergeModels keeps what you wrote into a row of yours.
var mergeModels = merging{
	table:  "penstock_models",
	source: `    ` + theSyncs + ``,
	key:    "sync", of: "sync",
	set: `model = CASE WHEN t.refreshed_at IS NULL THEN COALESCE(t.model, g.model) ELSE g.model END,
    cursor_column = CASE WHEN t.refreshed_at IS NULL THEN COALESCE(t.cursor_column, g.cursor_column) ELSE g.cursor_column END,
    destination_name = CASE WHEN t.refreshed_at IS NULL THEN COALESCE(t.destination_name, g.destination_name) ELSE g.destination_name END,
    destination_type = CASE WHEN t.refreshed_at IS NULL THEN COALESCE(t.destination_type, g.destination_type) ELSE g.destination_type END,
    interval_minutes = g.interval_minutes,
    warn_minutes = g.warn_minutes,
    stale_minutes = g.stale_minutes,
    dashboard_stale_minutes = g.dashboard_stale_minutes,
    store_source = g.store_source,
    paused = g.paused,
    missed_at = g.missed_at,
    refreshed_at = CASE WHEN t.refreshed_at IS NOT NULL THEN {{now}} END`,
	columns: `sync, model, cursor_column, destination_name, destination_type, interval_minutes, warn_minutes, stale_minutes, dashboard_stale_minutes, store_source, paused, missed_at, refreshed_at`,
	values:  `g.sync, g.model, g.cursor_column, g.destination_name, g.destination_type, g.interval_minutes, g.warn_minutes, g.stale_minutes, g.dashboard_stale_minutes, g.store_source, g.paused, g.missed_at, {{now}}`,
}
