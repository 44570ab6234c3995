package sql

// The steps of how old the data at each destination is.

// readFreshness asks for each sync how old its data at the destination is.
const readFreshness = `
INSERT INTO penstock_pages (refresh, kind, name, page, answer)
SELECT $refresh, 'freshness', s.sync, 0, {{answer "penstock_freshness(s.sync)"}}
FROM (
    SELECT {{text element "sync"}} AS sync
    FROM penstock_pages AS p, {{each "p.answer" "syncs" "u"}}
    WHERE p.refresh = $refresh AND p.kind = 'syncs'
) AS s`

var mergeFreshness = merging{
	table: "penstock_destination_freshness",
	source: `    SELECT
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
    WHERE p.refresh = $refresh AND p.kind = 'freshness'`,
	key: "sync_name", of: "sync_name",
	set: `destination_name = g.destination_name, destination_type = g.destination_type, object = g.object, field = g.field, as_of = g.as_of,
    total_records = g.total_records, updated_1h = g.updated_1h, updated_4h = g.updated_4h, updated_1d = g.updated_1d,
    oldest = g.oldest, newest = g.newest, missing = g.missing, missing_columns = g.missing_columns, message = g.message, refreshed_at = {{now}}`,
	columns: `sync_name, destination_name, destination_type, object, field, as_of, total_records, updated_1h, updated_4h, updated_1d, oldest, newest, missing, missing_columns, message, refreshed_at`,
	values:  `g.sync_name, g.destination_name, g.destination_type, g.object, g.field, g.as_of, g.total_records, g.updated_1h, g.updated_4h, g.updated_1d, g.oldest, g.newest, g.missing, g.missing_columns, g.message, {{now}}`,
}
