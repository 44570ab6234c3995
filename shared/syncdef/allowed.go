package syncdef

// What the YAML may say, in the order in which people are told. The reader, the
// JSON Schema and the messages all take these lists, so that they cannot differ.
var (
	// Types are the data types.
	Types = []Type{String, Number, Integer, Boolean, Date, DateTime, Picklist, JSON, Email}
	// Strategies are the matching strategies that a file may name.
	Strategies = []Strategy{MatchExternalID, MatchField, MatchEmail, MatchEmailDomain, MatchName}
	// Operations are those that this version carries out: not Delete, not Mirror.
	Operations = []Operation{Upsert, Update, Insert}
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
	// Formats are the values of format; without one the warehouses' formats hold.
	Formats = []string{"epoch_seconds", "epoch_milliseconds"}
	// ConnectionTypes are the vendors of this version.
	ConnectionTypes = []string{Salesforce, SlackType}
	// Auths are the ways to log in to Salesforce.
	Auths = []string{"client_credentials", "jwt_bearer"}
)

// The connection types.
const (
	Salesforce = "salesforce"
	SlackType  = "slack"
)

// Bounds and defaults of the definition's numbers.
const (
	MaxLanes          = 64     // bounds the concurrency of one sync
	DefaultLanes      = 4      // for vendors that take calls side by side
	SlackLanes        = 1      // Slack takes about one message a second and channel
	MaxBatchSize      = 10_000 // the largest batch of any vendor's synchronous API
	DefaultBatchSize  = 1000   //
	MaxScale          = 18     // Salesforce numbers have at most 18 digits
	DefaultDigestOver = 20     // messages per run and channel
	DefaultCalls      = 100_000
	DefaultShare      = 50
)

// NamePattern is what a sync may be called: run ids, table keys and SQL literals
// are built from it, so it holds no separators.
const NamePattern = `^[a-z][a-z0-9_]{0,62}$`

// ConnectionPattern is what a connection may be called.
const ConnectionPattern = `^[a-z][a-z0-9_-]{0,62}$`

// DefaultMatch is the pair that a strategy compares unless match says otherwise.
// external_id and field have none: only the author knows the fields.
func DefaultMatch(s Strategy) Match {
	switch s {
	case MatchEmailDomain:
		return Match{Source: "email", Destination: "Website"}
	case MatchEmail:
		return Match{Source: "email", Destination: "Email"}
	case MatchName:
		return Match{Source: "company_name", Destination: "Name"}
	default:
		return Match{}
	}
}
