package syncdef

import "time"

// What the YAML may say, in the order in which people are told. The reader, the
// JSON Schema and the messages all take these lists, so that they cannot differ.
var (
	// Types are the data types.
	Types = []Type{String, Number, Integer, Boolean, Date, DateTime, Picklist, JSON, Email, MultiPicklist}
	// Ases are the values of as.
	Ases = []As{AsJoin, AsJSON, AsFlat}
	// Strategies are the matching strategies that a file may name.
	Strategies = []Strategy{MatchExternalID, MatchField, MatchEmail, MatchEmailDomain, MatchName}
	// Operations are those that a file may name. A destination type may have fewer.
	Operations = []Operation{Upsert, Update, Insert, Delete, Mirroring}
	// Removals are the values of on_delete; a destination type may have fewer.
	Removals = []Removal{RemoveDelete, RemoveArchive, RemoveClear}
	// OnErrors are the values of error_handling.
	OnErrors = []OnError{Continue, Stop}
	// OnMissings are the values of on_missing.
	OnMissings = []OnMissing{Report, Create}
	// OnDuplicates are the values of on_duplicate.
	OnDuplicates = []OnDuplicate{Latest, Reject}
	// Sends are the values of send.
	Sends = []Send{SendChanged, SendAll}
	// OnNulls are the values of on_null.
	OnNulls = []OnNull{SkipNull, ClearNull, DefaultNull}
	// TooLongs are the values of on_too_long.
	TooLongs = []TooLong{RejectLong, TruncateLong}
	// Transforms are the steps of transform.
	Transforms = []string{"trim", "lower", "upper"}
	// OnUnknowns are the values of on_unknown.
	OnUnknowns = []OnUnknown{RejectUnknown, DefaultUnknown}
	// StoreSources are the values of store_source.
	StoreSources = []StoreSource{StoreNone, StoreMapped, StoreAll}
	// MatchTypes are the values of match.data_type.
	MatchTypes = []MatchType{MatchText, MatchNumber, MatchID}
	// Formats are the values of format; without one the warehouses' formats hold.
	Formats = []string{"epoch_seconds", "epoch_milliseconds"}
)

// Bounds and defaults of the definition's numbers.
const (
	MaxLanes         = 64         // bounds the concurrency of one sync
	DefaultLanes     = 4          // for vendors that take calls side by side
	DefaultBatchSize = 1000       // a definition's batch_size where it is not written
	MaxBatchSize     = 10_000     // the largest batch of any vendor's synchronous API
	MaxScale         = 18         // the most digits that a vendor's numbers have
	MaxLength        = 131_072    // the longest text field of any vendor, in characters
	MaxRetryAttempts = 20         // bounds what a row costs that never passes
	MaxRetryWait     = 86_400     // seconds: 20 of these are over before the error is deleted, after 30 days
	MaxLate          = 31_622_400 // seconds: 366 days, a yearly sync
	MaxFailed        = 2_592_000  // seconds: 30 days, as long as errors are kept

	MaxQualityRules  = 100           // each is a column of the gate's view, and a count of every batch
	MaxQualityValues = 1000          // of a rule in, whose values stand in the view's text
	MaxQualityLength = 16_777_216    // the longest text of any warehouse, in characters
	MaxQualityRows   = 1_000_000_000 // of min_rows
	MaxPattern       = 1000          // bytes of a regular expression
)

// DefaultFailed is incremental.include_failed where it is left out.
const DefaultFailed = 24 * time.Hour

// NamePattern is what a sync may be called: run ids, table keys and SQL literals
// are built from it, so it holds no separators.
const NamePattern = `^[a-z][a-z0-9_]{0,62}$`

// RelationPattern is how a model may be named: a table or view, with its schema and
// database where needed, each a plain identifier, so that no warehouse needs quotes.
const RelationPattern = `^[A-Za-z_][A-Za-z0-9_]{0,127}(\.[A-Za-z_][A-Za-z0-9_]{0,127}){0,2}$`

// ConnectionPattern is what a connection may be called.
const ConnectionPattern = `^[a-z][a-z0-9_-]{0,62}$`
