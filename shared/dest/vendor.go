package dest

import (
	"context"
	"net/http"
	"time"

	"github.com/penstock-data/penstock/shared/freshness"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/metadata"
)

// A Vendor is a destination type as one value: what its definitions may say
// (Kind, data and pure checks), and how an account is opened. Each vendor's
// package has one, named Vendor; the programs that deliver have one explicit list
// of them.
type Vendor struct {
	syncdef.Kind
	// Open makes the account of a connection. It makes no call; a fault in the
	// settings is a *CallError of class Configuration and scope Connection.
	Open func(Config) (Account, error)
	// Link is the address of a record in the vendor's own pages, for people: of the
	// account as Identity names it, at the connection's url; "" where there is none. nil
	// knows no addresses.
	Link func(url, account, object, id string) string
	// Anonymous says that Account.Identity is always "": nobody tells whose a secret is.
	Anonymous bool
}

// Kinds are what the vendors add to the definition language: for the reader, the
// JSON Schema and the configuration page.
func Kinds(vendors []Vendor) []syncdef.Kind {
	out := make([]syncdef.Kind, len(vendors))
	for i, v := range vendors {
		out[i] = v.Kind
	}
	return out
}

// Config is what an Account is opened with.
type Config struct {
	Connection syncdef.Connection
	// Secret reads the connection's secret; it is called before the first request
	// and again after the vendor refused what it gave.
	Secret func(ctx context.Context) (map[string]string, error)
	// HTTP makes the calls; nil is a client of the vendor's own, over
	// netguard.Transport(Loopback). Redirects are never followed.
	HTTP *http.Client
	// Loopback says that the connection's url was replaced by an address of this machine
	// (--endpoint, a simulator), where alone such an address may be called.
	Loopback bool
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// An Account is one connection, shared by all its syncs in a process: one login,
// one HTTP client, one meter, one set of limits. It is safe for concurrent use.
type Account interface {
	// Identity names the account at the vendor (organisation, workspace, portal);
	// "" when the vendor cannot tell. The error is a *CallError.
	Identity(ctx context.Context) (string, error)
	// Probe makes a cheap call that fails only when the connection does: nil when the
	// vendor answers it, else a *CallError. Limits say what it costs.
	Probe(ctx context.Context) error
	// Limits are the vendor's caps, the connection's share already taken.
	Limits() Limits
	// APICalls is how many requests were made so far, logins left out. What exceeds
	// the costs of the calls (further pages, a repetition after a login) is paid
	// afterwards, out of the bucket "".
	APICalls() int64
	// Open makes the destination of a version. It makes no call.
	Open(v syncdef.Version) (Destination, error)
}

// A Describer is an Account that can say what kind of field a match field is. Only
// penstock apply asks, where the vendor's Kind.AsksAccount says that the rule of
// identity depends on it. It is optional.
type Describer interface {
	// MatchField describes the field of the account that a definition's records are
	// found by. The error is a *CallError.
	MatchField(ctx context.Context, d *syncdef.Definition) (MatchField, error)
}

// An Inspector is an Account that shows its metadata, so that definitions can be held
// against it before the first row (package metadata). It is optional: a vendor that
// tells nothing has none.
type Inspector interface {
	// Describe gives the object that the definition's rows go to, as the connection's
	// user may use it; of d only Object has to be set. An object that there is not, or
	// that the user does not see, is a *CallError of class Configuration and scope
	// Version; any other *CallError says that nothing is known.
	Describe(ctx context.Context, d *syncdef.Definition) (*metadata.Object, error)
	// Objects lists the names of the objects that the user sees; nil where the vendor
	// lists none. The error is a *CallError.
	Objects(ctx context.Context) ([]string, error)
	// Rights are what the connection's user needs to be allowed for these syncs, beside
	// what Describe says of their objects. The error is a *CallError: they cannot be found
	// out.
	Rights(ctx context.Context, uses []syncdef.Definition) ([]Right, error)
}

// A Diagnoser is an Account that finds out about itself what commonly fails later, and
// what neither a right nor an object's metadata shows. It is optional.
type Diagnoser interface {
	// Diagnose makes a few cheap calls and changes nothing; uses are the syncs of the
	// connection. The error is a *CallError: nothing is known.
	Diagnose(ctx context.Context, uses []syncdef.Definition) ([]Diagnosis, error)
}

// A Diagnosis is one thing that an account found out about itself.
type Diagnosis struct {
	Name   string // what was looked at: kind of app
	Detail string // how it is, towards people
	Remedy string // what to do; "" is well
}

// A Prober is an Account that counts an object's records by the age of a field of
// theirs. It is optional: what cannot be searched has none.
type Prober interface {
	// Freshness counts the records of the definition's object by its
	// freshness.destination_field, and those whose mapped fields are empty. It asks spend
	// for each request before it makes it, and ends with spend's error. What the vendor
	// cannot tell is nil in the figures, with the reason. Any other error is a *CallError,
	// or the context's.
	Freshness(ctx context.Context, d *syncdef.Definition, now time.Time, spend Spend) (freshness.Figures, error)
}

// Spend takes a request's tokens out of the connection's share (I7); an error says that
// they are not to be had now.
type Spend func(ctx context.Context, c Cost) error

// A Right is something that the connection's user is allowed or not.
type Right struct {
	Name    string // the vendor's word: a scope, a permission
	For     string // what it is needed for
	Missing string // why it is not there, and the remedy; "" is granted
	// Some says that only some syncs need it: that it is missing is no failure.
	Some bool
}

// A MatchField is what an account's metadata says of a match field.
type MatchField struct {
	Known bool              // false: the account has no such field, or shows none
	Case  bool              // texts that differ by case are different values
	Type  syncdef.MatchType // "" is a kind of field that the words have none for
}

// Limits are an account's caps, and what its probe takes out of them.
type Limits struct {
	Concurrency int                               // calls in flight from one invocation of a worker, at least 1
	InFlight    int                               // calls in flight from one process, which may run several; 0 is no cap
	Windows     func(bucket string) []pace.Window // what may be spent of a bucket; nil is no limit
	Probe       []Cost                            // of Account.Probe
	Beyond      string                            // the bucket that pays for requests beyond the calls' costs, such as further pages
}

// A Poster is an Account that can post a notice into a channel: its Kind says so
// (Posts). It is called at most once for a try; the error is a *CallError.
type Poster interface {
	Post(ctx context.Context, channel, text string) error
}

// A Destination is one version's end of the road at one account. Its sender makes
// the calls, so that it knows what was spent.
type Destination interface {
	// Lookups cuts the records that must be looked up (matched by search and without
	// an ID, or with Intent) into calls; nil when there are none.
	Lookups(b Batch) []Call
	// Lookup makes one of these calls, or a part of one: one outcome per record of
	// the call, in its order: Found, Pending, Delivered (an intent that was carried
	// out), Unknown (an intent that can be looked for no more), Rejected (ambiguous, or
	// missing with on_missing: report) or Retry. The error is a *CallError, or the context's.
	Lookup(ctx context.Context, b Batch, c Call) ([]Outcome, error)
	// Calls cuts records into calls of the vendor's full size, or of at most so many
	// records where most is not 0.
	Calls(b Batch, most int) []Call
	// Push makes one of these calls, or a part of one: one outcome per record of the
	// call, in its order. The error is a *CallError, or the context's own where nothing
	// was sent.
	Push(ctx context.Context, b Batch, c Call) ([]Outcome, error)
}
