package sql

// A merging brings the rows of a query, g, into a table, t: those that are there by their
// key are changed, and the others put in.
type merging struct {
	table   string
	source  string // the query
	key, of string // columns of t and of g that are equal in a row that is there
	set     string // what a row that is there becomes
	columns string // of a new row
	values  string // its values
}

// text is the statement: a MERGE, or for a dialect whose MERGE takes no query as its
// source an UPDATE, and an INSERT of what is still missing. Done twice it is the same as
// once.
func (m merging) text(d speech) string {
	source, on := "(\n"+m.source+"\n) AS g\n", "t."+m.key+" = g."+m.of
	if d.merges {
		return "MERGE INTO " + m.table + " AS t\nUSING " + source + "ON " + on + "\nWHEN MATCHED THEN UPDATE SET\n    " + m.set +
			"\nWHEN NOT MATCHED THEN INSERT\n    (" + m.columns + ")\n    VALUES (" + m.values + ")"
	}
	return "UPDATE " + m.table + " AS t SET\n    " + m.set + "\nFROM " + source + "WHERE " + on + ";\n" +
		"INSERT INTO " + m.table + "\n    (" + m.columns + ")\nSELECT " + m.values + "\nFROM " + source +
		"LEFT JOIN " + m.table + " AS t ON " + on + "\nWHERE t." + m.key + " IS NULL"
}
