package syncdef

// An Example is what a first sync to a destination type looks like: data and pure
// functions, from which penstock init writes its files.
type Example struct {
	Ask        string   // what init asks for: "object", "channel"
	Object     string   // the answer when none is given
	Connection []string // lines of YAML below the connection's type: the url and the like
	// Target gives the lines of YAML that say where rows go and how a row finds its
	// record, by what was asked for, the column that tells rows apart, and all columns.
	// They begin at the margin.
	Target func(object, key string, columns []Column) []string
	// Fields maps the columns that have a place at the destination. Of each field only
	// Source, Destination and Type are used. There is at least one column.
	Fields func(key string, columns []Column) []Field
	// Rows are an example file: a header, and rows of the same width. The first column
	// is the key.
	Rows [][]string
}

// A Column is a column of a file, with the type that its values have.
type Column struct {
	Name string
	Type Type
}
