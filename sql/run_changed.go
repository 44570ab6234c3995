package sql

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
FROM (SELECT OBJECT_CONSTRUCT_KEEP_NULL(*) AS r FROM IDENTIFIER($model)) AS m
LEFT JOIN (
    SELECT DISTINCT p.hash FROM penstock_pushed AS p WHERE p.sync = $sync AND p.version = $version AND p.gone IS NULL
) AS k ON k.hash = GET(m.r, 'PENSTOCK_HASH')::VARCHAR
WHERE k.hash IS NULL OR ($always AND GET(m.r, 'PENSTOCK_ALWAYS')::BOOLEAN)`},
		DuckDB: Text{Rest: `INSERT INTO penstock_pushing (sync, run, answer, hash, version, row_data)
SELECT $sync, $run, penstock_push($run, penstock_row), penstock_row.penstock_hash, $version, CASE WHEN $keep_rows THEN to_json(penstock_row) END
FROM query_table($model) AS penstock_row
LEFT JOIN (
    SELECT DISTINCT p.hash FROM penstock_pushed AS p WHERE p.sync = $sync AND p.version = $version AND p.gone IS NULL
) AS k ON k.hash = penstock_row.penstock_hash
WHERE k.hash IS NULL OR ($always AND penstock_row.penstock_always)`},
	},
	inAll(StepReceive, nil, Text{Rest: "INSERT INTO penstock_receipts (sync, run, answer)\nSELECT p.sync, p.run, p.answer FROM penstock_pushing AS p WHERE p.run = $run"}),
	{
		Name:      StepGone,
		Snowflake: Text{Rest: gone("GET_PATH(s.answer, 'record_id')::VARCHAR", "IDENTIFIER($model)")},
		DuckDB:    Text{Rest: gone("(s.answer->>'record_id')", "query_table($model)")},
	},
}

// gone notes what is not to keep a row from being pushed any more. A key whose rows are
// several is no reason: each of them has a hash of its own.
func gone(recordID, model string) string {
	return `UPDATE penstock_pushed SET gone = $run
WHERE sync = $sync AND (
    version <> $version
    OR hash NOT IN (SELECT m.penstock_hash FROM ` + model + ` AS m WHERE m.penstock_hash IS NOT NULL)
    OR (key IN (SELECT ` + recordID + ` FROM penstock_pushing AS s WHERE s.run = $run)
        AND key NOT IN (SELECT o.key FROM penstock_pushed AS o WHERE o.sync = $sync AND o.gone IS NULL GROUP BY o.key HAVING COUNT(*) > 1))
)`
}

// streamSteps consume a stream of changes, once: on Snowflake the statement that reads
// the stream and commits moves it on. DuckDB has no streams; there the relation is a table,
// and what was pushed of it is deleted in the transaction of the push, which sees no row
// that came meanwhile. The other warehouses have nothing of the kind.
var streamSteps = []Step{
	{
		Name: StepPushStream,
		Snowflake: Text{Rest: "INSERT INTO penstock_receipts (sync, run, answer)\n" +
			"SELECT $sync, $run, penstock_push($run, m.r::VARIANT)\n" +
			"FROM (SELECT OBJECT_CONSTRUCT_KEEP_NULL(*) AS r FROM IDENTIFIER($stream)) AS m"},
		DuckDB: Text{Rest: "INSERT INTO penstock_receipts (sync, run, answer)\n" +
			"SELECT $sync, $run, penstock_push($run, " + rowAlias + ")\nFROM query_table($stream) AS " + rowAlias},
	},
}

// NoStream says what a warehouse without streams does with mode cdc.
const NoStream = "mode cdc reads a stream of changes, and this warehouse has none: use incremental with a cursor, changed_only: true, or a model that selects changes"
