package syncdef

import (
	"slices"
	"strings"
)

// reserved are the words that a warehouse takes as the name of a table, schema or role
// only in quotes: Snowflake's and Redshift's by their documentation (Reserved & limited
// keywords; Reserved words), DuckDB's by itself. On BigQuery such names stand in quotes.
var reserved = map[string][]string{
	"snowflake": strings.Fields(`
		all alter and any as between by case cast check column connect constraint create cross current
		current_date current_time current_timestamp current_user delete distinct drop else exists false
		following for from full grant group having ilike in increment inner insert intersect into is join
		lateral left like localtime localtimestamp minus natural not null of on or order qualify regexp
		revoke right rlike row rows sample select set some start table tablesample then to trigger true
		try_cast union unique update using values when whenever where with
	`),
	"redshift": strings.Fields(`
		aes128 aes256 all allowoverwrite analyse analyze and any array as asc authorization az64 backup
		between binary blanksasnull both bytedict bzip2 case cast check collate column constraint create
		credentials cross current_date current_time current_timestamp current_user current_user_id default
		deferrable deflate defrag delta delta32k desc disable distinct do else emptyasnull enable encode
		encrypt encryption end except explicit false for foreign freeze from full globaldict256
		globaldict64k grant group gzip having identity ignore ilike in initially inner intersect interval
		into is isnull join leading left like limit localtime localtimestamp lun luns lzo lzop minus
		mostly16 mostly32 mostly8 natural new not notnull null nulls off offline offset oid old on only open
		or order outer overlaps parallel partition percent permissions pivot placing primary raw readratio
		recover references rejectlog resort respect restore right select session_user similar snapshot some
		sysdate system table tag tdes text255 text32k then timestamp to top trailing true truncatecolumns
		union unique unnest unpivot user using verbose wallet when where with without
	`),
	"duckdb": strings.Fields(`
		all analyse analyze and anti any array as asc asof asymmetric at authorization binary both by case
		cast check collate collation column concurrently constraint create cross default deferrable desc
		describe distinct do else end except false fetch for foreign freeze from full glob group having
		ilike in initially inner intersect into is isnull join lambda lateral leading left like limit
		natural not notnull null offset on only or order outer overlaps pivot pivot_longer pivot_wider
		placing positional primary qualify references returning right select semi show similar some
		summarize symmetric table tablesample then to trailing true union unique unpack unpivot using
		variadic verbose when where window with
	`),
}

// Reserved reports whether a warehouse, such as snowflake, takes a name only in quotes.
func Reserved(warehouse, name string) bool {
	return slices.Contains(reserved[warehouse], strings.ToLower(name))
}
