package sql

import "strings"

// changedSteps push what differs from what the warehouse remembers, which is the table
// penstock_pushed: of each row that was pushed in a complete run and not failed, the hash
// of what it says and the definition's version. What is pushed stands in penstock_pushing
// until penstock_refresh finds its run complete, so that nothing is remembered that may
// not have arrived. A row is pushed unless its very hash is remembered; what is not in
// the model any more, or was pushed with another hash, is gone: remembered for people,
// and no reason not to push. Losing either table costs calls alone.
var changedSteps = []Step{
	inAll(StepForget, nil, Text{Rest: "DELETE FROM penstock_pushed WHERE sync = $sync"}),
	inAll(StepForgetSent, nil, Text{Rest: "DELETE FROM penstock_pushing WHERE sync = $sync"}),
	{
		Name: StepPushChanged,
		Snowflake: Text{Rest: `INSERT INTO penstock_pushing (sync, run, answer, hash, version, row_data)
SELECT $sync, $run, penstock_push($run, m.r::VARIANT), GET(m.r, 'PENSTOCK_HASH')::VARCHAR, $version, IFF($keep_rows, m.r::VARIANT, NULL)
` + changed.snowflake.from},
		DuckDB: Text{Rest: `INSERT INTO penstock_pushing (sync, run, answer, hash, version, row_data)
SELECT $sync, $run, penstock_push($run, penstock_row), penstock_row.penstock_hash, $version, CASE WHEN $keep_rows THEN CAST(penstock_row AS JSON) END
` + changed.duckdb.from},
		Redshift: Text{Rest: shiftChanged + changed.redshift},
		BigQuery: Text{Rest: queryChanged + changed.bigquery.from + "\"\"\", $here, $here, " + changed.names + ")\nUSING $sync AS sync, $run AS run, $keep_rows AS keep_rows" + changed.using},
	},
	{
		Name:      StepReceive,
		Snowflake: Text{Rest: receive("p.answer")},
		DuckDB:    Text{Rest: receive("p.answer")},
		Redshift:  Text{Rest: receive("JSON_SERIALIZE(p.answer)")}, // a receipt is text there
		BigQuery:  Text{Rest: receive("p.answer")},
	},
	{
		Name:      StepGone,
		Snowflake: Text{Rest: gone("GET_PATH(s.answer, 'record_id')::VARCHAR", "IDENTIFIER($model)")},
		DuckDB:    Text{Rest: gone("(s.answer->>'record_id')", "query_table($model)")},
		Redshift:  Text{Rest: shiftGone},
		BigQuery:  Text{Rest: queryGone},
	},
	{
		Name:      StepDoubled,
		Snowflake: Text{Rest: twice("GET_PATH(answer, 'record_id')::VARCHAR", "IDENTIFIER($model)")},
		DuckDB:    Text{Rest: twice("(answer->>'record_id')", "query_table($model)")},
		Redshift:  Text{Rest: shiftTwice},
		BigQuery:  Text{Rest: queryTwice},
	},
}

// changed are the rows whose very hash is not remembered, and those that are due to be
// sent again.
var changed = selecting{StepPushChanged, selection{
	snowflake: source{"m.r::VARIANT", `FROM (SELECT OBJECT_CONSTRUCT_KEEP_NULL(*) AS r FROM IDENTIFIER($model)) AS m
LEFT JOIN (
    SELECT DISTINCT p.hash FROM penstock_pushed AS p WHERE p.sync = $sync AND p.version = $version AND p.gone IS NULL
) AS k ON k.hash = GET(m.r, 'PENSTOCK_HASH')::VARCHAR
WHERE k.hash IS NULL OR ($always AND GET(m.r, 'PENSTOCK_ALWAYS')::BOOLEAN)`},
	duckdb: source{rowAlias, `FROM query_table($model) AS penstock_row
LEFT JOIN (
    SELECT DISTINCT p.hash FROM penstock_pushed AS p WHERE p.sync = $sync AND p.version = $version AND p.gone IS NULL
) AS k ON k.hash = penstock_row.penstock_hash
WHERE k.hash IS NULL OR ($always AND penstock_row.penstock_always)`},
	redshift: shiftRows + " LEFT JOIN (SELECT DISTINCT p.hash FROM ' || $here || '.penstock_pushed AS p WHERE p.sync = ' || QUOTE_LITERAL($sync) || ' AND p.version = ' || QUOTE_LITERAL($version)" +
		" || ' AND p.gone IS NULL) AS k ON k.hash = m.penstock_hash WHERE k.hash IS NULL' || CASE WHEN $always THEN ' OR m.penstock_always' ELSE '' END",
	bigquery: source{"m.r", queryRows + "\nLEFT JOIN (\n" +
		"    SELECT DISTINCT p.`hash` FROM %s.penstock_pushed AS p WHERE p.sync = @sync AND p.version = @version AND p.gone IS NULL\n" +
		") AS k ON k.`hash` = JSON_VALUE(m.r, '$.penstock_hash')\n" +
		"WHERE k.`hash` IS NULL OR (@always AND JSON_VALUE(m.r, '$.penstock_always') = 'true')"},
	names: "$relation, $here", using: ", $version AS version, $always AS always",
}}

// shiftChanged begins the push of what changed on Redshift, where the statement is made
// of names and values that are quoted.
const shiftChanged = "EXECUTE 'INSERT INTO ' || $here || '.penstock_pushing (sync, run, answer, hash, version, row_data) SELECT ' || QUOTE_LITERAL($sync) || ', ' || QUOTE_LITERAL($run)" +
	" || ', JSON_PARSE(' || $here || '.penstock_push(' || QUOTE_LITERAL($run) || ', m." + rowAlias + ")), m.penstock_hash, ' || QUOTE_LITERAL($version)" +
	" || CASE WHEN $keep_rows THEN ', JSON_PARSE(m." + rowAlias + ")' ELSE ', NULL' END || '"

// queryChanged is the same on BigQuery, where penstock_push stands last, as in every push.
const queryChanged = "EXECUTE IMMEDIATE FORMAT(\"\"\"INSERT INTO %s.penstock_pushing (sync, run, `hash`, version, row_data, answer)\n" +
	"SELECT @sync, @run, JSON_VALUE(m.r, '$.penstock_hash'), @version, IF(@keep_rows, m.r, NULL), %s.penstock_push(@run, m.r)\n"

// receive keeps the answers of what changed as receipts.
func receive(answer string) string {
	return "INSERT INTO penstock_receipts (sync, run, answer)\nSELECT p.sync, p.run, " + answer + " FROM penstock_pushing AS p WHERE p.run = $run"
}

// gone notes what is not to keep a row from being pushed any more. Rows of one key are
// pushed together or not at all, so that the last of them wins.
func gone(recordID, model string) string {
	return `UPDATE penstock_pushed SET gone = $run
WHERE sync = $sync AND (
    version <> $version
    OR hash NOT IN (SELECT m.penstock_hash FROM ` + model + ` AS m WHERE m.penstock_hash IS NOT NULL)
    OR key IN (SELECT ` + recordID + ` FROM penstock_pushing AS s WHERE s.run = $run)
)`
}

// twice has rows forgotten of whose key the model has another row that was not pushed with
// them: the next run pushes both.
func twice(recordID, model string) string {
	return `DELETE FROM penstock_pushing
WHERE run = $run AND ` + recordID + ` IN (
    SELECT p.key FROM penstock_pushed AS p
    WHERE p.sync = $sync AND p.gone = $run AND p.version = $version
      AND p.hash IN (SELECT m.penstock_hash FROM ` + model + ` AS m WHERE m.penstock_hash IS NOT NULL)
      AND p.hash NOT IN (SELECT o.hash FROM penstock_pushing AS o WHERE o.run = $run AND o.hash IS NOT NULL)
)`
}

// shiftGone and shiftTwice are the same on Redshift, and queryGone and queryTwice on BigQuery.
const (
	shiftGone = "EXECUTE 'UPDATE ' || $here || '.penstock_pushed SET gone = ' || QUOTE_LITERAL($run) || ' WHERE sync = ' || QUOTE_LITERAL($sync)" +
		" || ' AND (version <> ' || QUOTE_LITERAL($version) || ' OR hash NOT IN (SELECT m.penstock_hash FROM ' || $relation || ' AS m WHERE m.penstock_hash IS NOT NULL)" +
		" OR key IN (SELECT JSON_EXTRACT_PATH_TEXT(JSON_SERIALIZE(s.answer), ''record_id'', TRUE) FROM ' || $here || '.penstock_pushing AS s WHERE s.run = ' || QUOTE_LITERAL($run)" +
		" || '))'"
	shiftTwice = "EXECUTE 'DELETE FROM ' || $here || '.penstock_pushing WHERE run = ' || QUOTE_LITERAL($run)" +
		" || ' AND JSON_EXTRACT_PATH_TEXT(JSON_SERIALIZE(answer), ''record_id'', TRUE) IN (SELECT p.key FROM ' || $here || '.penstock_pushed AS p WHERE p.sync = ' || QUOTE_LITERAL($sync)" +
		" || ' AND p.gone = ' || QUOTE_LITERAL($run) || ' AND p.version = ' || QUOTE_LITERAL($version)" +
		" || ' AND p.hash IN (SELECT m.penstock_hash FROM ' || $relation || ' AS m WHERE m.penstock_hash IS NOT NULL)" +
		" AND p.hash NOT IN (SELECT o.hash FROM ' || $here || '.penstock_pushing AS o WHERE o.run = ' || QUOTE_LITERAL($run) || ' AND o.hash IS NOT NULL))'"
	queryGone = "EXECUTE IMMEDIATE FORMAT(\"\"\"UPDATE %s.penstock_pushed SET gone = @run\nWHERE sync = @sync AND (\n    version <> @version\n" +
		"    OR `hash` NOT IN (SELECT " + rowAlias + ".penstock_hash FROM %s AS " + rowAlias + " WHERE " + rowAlias + ".penstock_hash IS NOT NULL)\n" +
		"    OR key IN (SELECT JSON_VALUE(s.answer, '$.record_id') FROM %s.penstock_pushing AS s WHERE s.run = @run)\n" +
		")\"\"\", $here, $relation, $here)\nUSING $run AS run, $sync AS sync, $version AS version"
	queryTwice = "EXECUTE IMMEDIATE FORMAT(\"\"\"DELETE FROM %s.penstock_pushing\nWHERE run = @run AND JSON_VALUE(answer, '$.record_id') IN (\n" +
		"    SELECT p.key FROM %s.penstock_pushed AS p\n    WHERE p.sync = @sync AND p.gone = @run AND p.version = @version\n" +
		"      AND p.`hash` IN (SELECT " + rowAlias + ".penstock_hash FROM %s AS " + rowAlias + " WHERE " + rowAlias + ".penstock_hash IS NOT NULL)\n" +
		"      AND p.`hash` NOT IN (SELECT o.`hash` FROM %s.penstock_pushing AS o WHERE o.run = @run AND o.`hash` IS NOT NULL)\n" +
		")\"\"\", $here, $here, $relation, $here)\nUSING $run AS run, $sync AS sync, $version AS version"
)

// streamSteps consume a stream of changes, once: on Snowflake the statement that reads
// the stream and commits moves it on. DuckDB has no streams; there the relation is a table,
// and what was pushed of it is deleted in the transaction of the push, which sees no row
// that came meanwhile. The other warehouses have nothing of the kind.
var streamSteps = []Step{
	{
		Name: StepPushStream,
		Snowflake: Text{Rest: "INSERT INTO penstock_receipts (sync, run, answer)\n" +
			"SELECT $sync, $run, penstock_push($run, m.r::VARIANT)\n" +
			netChanges("SELECT OBJECT_CONSTRUCT_KEEP_NULL(*) AS r FROM IDENTIFIER($stream)", "GET_IGNORE_CASE(c.r, %)::VARCHAR")},
		DuckDB: Text{Rest: "INSERT INTO penstock_receipts (sync, run, answer)\n" +
			"SELECT $sync, $run, penstock_push($run, m.r)\n" +
			netChanges("SELECT "+rowAlias+" AS r, CAST("+rowAlias+" AS JSON) AS j FROM query_table($stream) AS "+rowAlias,
				`(c.j->>('$."' || (list_filter(json_keys(c.j), lambda k: lower(k) = lower(%)))[1] || '"'))`)},
	},
}

// netChanges are the rows of a stream without those that delete what another one writes: a
// record that was deleted and inserted again is both, in no order, and in two batches of
// one query either may come last. They are left out within, so that penstock_push is
// never asked about them, and are consumed with the rest. The old half of an update
// neither deletes nor writes, and stays. text is the text of a column, % its name in any
// case; rows of the same match value are one record.
func netChanges(rows, text string) string {
	of := func(column string) string { return strings.ReplaceAll(text, "%", column) }
	return `FROM (
    SELECT e.r
    FROM (
        SELECT d.r, d.k, CASE
                WHEN 'DELETE' IN (d.action, d.asked) AND d.half THEN 'nothing'
                WHEN 'DELETE' IN (d.action, d.asked) OR d.unwanted THEN 'delete'
                ELSE 'write'
            END AS does
        FROM (
            SELECT c.r,
                NULLIF(TRIM(` + of("$match_key") + `), '') AS k,
                UPPER(TRIM(` + of("'METADATA$ACTION'") + `)) AS action,
                UPPER(TRIM(` + of("'sync_action'") + `)) AS asked,
                TRY_CAST(` + of("'should_delete_from_destination'") + ` AS BOOLEAN) AS unwanted,
                TRY_CAST(CASE WHEN ` + of("'METADATA$ACTION'") + ` IS NULL THEN ` + of("'is_update'") + ` ELSE ` + of("'METADATA$ISUPDATE'") + ` END AS BOOLEAN) AS half
            FROM (` + rows + `) AS c
        ) AS d
    ) AS e
    QUALIFY e.does <> 'delete' OR e.k IS NULL OR COUNT_IF(e.does = 'write') OVER (PARTITION BY e.k) = 0
) AS m`
}

// NoStream says what a warehouse without streams does with mode cdc.
const NoStream = "mode cdc reads a stream of changes, and this warehouse has none: use incremental with a cursor, changed_only: true, or a model that selects changes"
