package row

import "strings"

// How a caller makes a whole row one object. Messages name Snowflake's way; for a
// caller of another dialect its own is put in its place: InDuckDB.
const (
	SnowflakeRow = "OBJECT_CONSTRUCT_KEEP_NULL(*)"
	duckDBRow    = "to_json(m)"
)

// inDuckDB are the phrases of messages, the longer ones first.
var inDuckDB = strings.NewReplacer(
	"Snowflake: "+SnowflakeRow, "DuckDB: "+duckDBRow,
	SnowflakeRow+" or PARSE_JSON", duckDBRow+" or a cast to JSON",
	SnowflakeRow, duckDBRow,
)

// InDuckDB is a message for who speaks DuckDB's SQL.
func InDuckDB(message string) string {
	if !strings.Contains(message, SnowflakeRow) {
		return message
	}
	return inDuckDB.Replace(message)
}
