package snowflake

const (
	// BatchRows is how many rows a caller puts into a batch unless it is told
	// otherwise: MAX_BATCH_ROWS of the external functions, and DuckDB's batches.
	BatchRows = 1000
	// BatchBytes is how much JSON a batch may be. A function behind a Regional REST API
	// that takes binary media gets the body in base64, four characters for three bytes,
	// within the 6 MB of a Lambda event (AWS documentation, "Lambda quotas"); 64 KB of
	// the event are left to headers. At BatchRows a row may have 4.5 KB on average.
	BatchBytes = (6<<20 - 64<<10) / 4 * 3
)
