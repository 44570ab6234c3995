// Package syncdef holds sync definitions: which columns of a model go to which
// fields of a destination, and how. It names each content by its hash, tells what
// differs between two versions, and compares a definition with its model's
// columns. Package yamlfile below reads the YAML; nothing here stores or sends.
package syncdef

import (
	"encoding/json"
	"time"
)

// A Definition is one sync with all defaults filled in: what the pipeline acts
// on and what a Version stores. The YAML keys are the json tags.
type Definition struct {
	Sync          string         `json:"sync"`                     // [a-z][a-z0-9_]{0,62}; the file's name when absent
	Model         string         `json:"model,omitempty"`          // the relation that the rows come from, 1 to 3 identifiers; "" is the sync's name (Relation)
	Connection    string         `json:"connection"`               // a name in connections.yaml
	Object        string         `json:"destination_object"`       // Account, message, ...
	Strategy      Strategy       `json:"matching_strategy"`        // how a row finds its record; none where records are not matched
	Match         Match          `json:"match"`                    //
	Operation     Operation      `json:"operation"`                // default upsert, or insert where nothing else is possible
	RecordID      []string       `json:"record_id"`                // columns, joined with ":" (mapping.Mapped.RecordID); YAML takes one name or a list
	Fields        []Field        `json:"field_mappings"`           // in the order in which the fingerprint is taken
	Frequency     string         `json:"sync_frequency,omitempty"` // hourly, daily, weekly, "every 15m" or a cron expression; how often it runs: package frequency
	Schedule      *Schedule      `json:"schedule,omitempty"`       // how Frequency is acted on; nil is all defaults: Scheduled
	After         []string       `json:"after,omitempty"`          // syncs that a run waits for
	BatchSize     int            `json:"batch_size"`               // upper bound of records a call; default 1000
	Lanes         int            `json:"lanes"`                    // 1 to 64; default 4, or the destination type's own
	OnError       OnError        `json:"error_handling"`           // default continue_on_error
	OnMissing     OnMissing      `json:"on_missing"`               // when matching finds no record; default report, or create where an upsert maps what creation needs
	OnDelete      Removal        `json:"on_delete,omitempty"`      // what is done with the record of a deleting row; default the destination type's first, "" where it can do nothing
	OnDuplicate   OnDuplicate    `json:"on_duplicate"`             // two rows of a batch with one key; default latest
	Send          Send           `json:"send"`                     // default changed
	Retry         *Retry         `json:"retry,omitempty"`          // how often and how late a failed row is tried again; default {attempts: 3, base: 60s, max: 15m}
	StoreSource   StoreSource    `json:"store_source,omitempty"`   // what of a failed row's source is stored; default mapped
	Incremental   *Incremental   `json:"incremental,omitempty"`
	Allow         *Allow         `json:"allow,omitempty"`         // which roles may call for the sync; nil leaves it to who may call at all
	Quality       *Quality       `json:"quality,omitempty"`       // the gate: what makes a row bad, and how many of these stop a run
	Mirror        *Mirror        `json:"mirror,omitempty"`        // nil unless the operation is mirror, which is an upsert that also removes what left the model
	Notifications []Notification `json:"notifications,omitempty"` // who is told when something is wrong
	Freshness     *Freshness     `json:"freshness,omitempty"`     // how late a sync may be; from Frequency when absent
	Verify        *Verify        `json:"verify,omitempty"`        // what is compared with the destination every day
	// Options are the keys of the destination type's own, with their defaults: in
	// YAML the object under the type's name.
	Options json.RawMessage `json:"options,omitempty"`
}

// A Notification says who is told, and of what.
type Notification struct {
	Type       string   `json:"type"`                 // email, webhook, or a destination type that posts messages
	Recipients []string `json:"recipients,omitempty"` // addresses, of email
	Connection string   `json:"connection,omitempty"` // that posts
	Channel    string   `json:"channel,omitempty"`    // where it posts to
	Secret     string   `json:"secret,omitempty"`     // that holds address and key, of webhook; default DefaultWebhookSecret
	Conditions []string `json:"conditions,omitempty"` // of Conditions; none is all but partial_failure
}

// The types of notifications that no connection posts.
const (
	NotifyEmail   = "email"
	NotifyWebhook = "webhook"
)

// DefaultWebhookSecret is the secret of a webhook that names none.
const DefaultWebhookSecret = "webhook"

// Conditions are what a notification may be about.
var Conditions = []string{
	"sync_failure", "high_error_rate", "partial_failure", "overdue",
	"connection_paused", "connection_misconfigured", "retries_exhausted", "dead_letters",
	"gate_blocked", "sync_halted", "stale", "missed_schedule", "count_anomaly", "match_rate", "quota",
	"schema_drift", "disagreement",
}

// Strategy is how a row finds its record at the destination.
type Strategy string

// The strategies. With none the record id is the key.
const (
	MatchNone        Strategy = ""
	MatchExternalID  Strategy = "external_id"
	MatchField       Strategy = "field"
	MatchEmail       Strategy = "email"
	MatchEmailDomain Strategy = "email_domain"
	MatchName        Strategy = "name"
)

// Match names the two sides that are compared; the destination type knows a
// default for some strategies.
type Match struct {
	Source      string `json:"source"`      // column
	Destination string `json:"destination"` // field of the destination_object
	// Case says whether the destination's field tells upper from lower case, and
	// DataType what kind of field it is, for accounts that cannot be asked. Absent,
	// apply asks; where it cannot, a row that equals another of its batch only by
	// case is rejected.
	Case     *bool     `json:"case,omitempty"`
	DataType MatchType `json:"data_type,omitempty"`
}

// MatchType is what kind of field the destination's match field is.
type MatchType string

// The kinds: text is compared as text, number by value, id in both of its lengths.
const (
	MatchText   MatchType = "text"
	MatchNumber MatchType = "number"
	MatchID     MatchType = "id"
)

// Operation is what is done to the destination's records.
type Operation string

// The operations. With delete every row deletes, also what the sync never wrote. mirror
// is a word of the file: a Definition is then an Upsert that has a Mirror.
const (
	Upsert Operation = "upsert"
	Update Operation = "update"
	Insert Operation = "insert"
	Delete Operation = "delete"

	Mirroring Operation = "mirror"
)

// OnError says whether the good rows of a run go on when others fail.
type OnError string

// continue_on_error is the default; stop_on_error cancels the rest of the run.
const (
	Continue OnError = "continue_on_error"
	Stop     OnError = "stop_on_error"
)

// OnMissing says what a matching strategy does when it finds nothing.
type OnMissing string

// report stores an error for the row; create makes a new record.
const (
	Report OnMissing = "report"
	Create OnMissing = "create"
)

// Removal is what a destination does with a record whose row is deleted.
type Removal string

// delete removes it, archive puts it out of sight, where it can be restored from, and
// clear empties the mapped fields.
const (
	RemoveDelete  Removal = "delete"
	RemoveArchive Removal = "archive"
	RemoveClear   Removal = "clear"
)

// OnDuplicate says what happens to two rows of one batch with one key.
type OnDuplicate string

// latest queues the last one and answers the others superseded; reject refuses
// all but the last.
const (
	Latest OnDuplicate = "latest"
	Reject OnDuplicate = "reject"
)

// Send says which fields of a changed record are sent.
type Send string

// changed sends the fields whose hash differs; all sends every mapped field.
const (
	SendChanged Send = "changed"
	SendAll     Send = "all"
)

// A Field maps one column, or a value of its own, to one field of the destination.
type Field struct {
	Source      string    `json:"source,omitempty"`      // the model's column, in any case, or a path into one of JSON: address.city; "" beside Value
	Value       *string   `json:"value,omitempty"`       // in the place of Source: a constant, or a Template of columns
	Destination string    `json:"destination"`           // the field's API name at the destination, or, by Rules.Nested, a Path: address.city
	Personal    bool      `json:"personal,omitempty"`    // personal data: the connection must allow it
	As          As        `json:"as,omitempty"`          // what becomes of lists and objects
	Separator   string    `json:"separator,omitempty"`   // between the values or names that As joins
	Type        Type      `json:"data_type"`             // default string
	Scale       *int      `json:"scale,omitempty"`       // number: digits after the point, rounded half up
	Min         string    `json:"min,omitempty"`         // number, integer: a decimal, inclusive
	Max         string    `json:"max,omitempty"`         // number, integer: a decimal, inclusive
	Values      []string  `json:"values,omitempty"`      // picklist
	MaxLength   int       `json:"max_length,omitempty"`  // string, email, picklist: in the unit of Rules.LengthUnit; 0 none
	OnTooLong   TooLong   `json:"on_too_long,omitempty"` // default reject
	OnNull      OnNull    `json:"on_null"`               // default clear, or default where one is given
	Default     *string   `json:"default,omitempty"`     // used by on_null: default, and by on_unknown: default
	OnUnknown   OnUnknown `json:"on_unknown,omitempty"`  // picklist: a text that is none of values; default reject
	// Options are the keys of the destination type's own that are none of these.
	Options   json.RawMessage `json:"options,omitempty"`
	Markup    bool            `json:"markup,omitempty"`    // the text is the destination's own markup; false escapes it
	Transform []string        `json:"transform,omitempty"` // trim, lower, upper, in order
	TimeZone  string          `json:"time_zone,omitempty"` // datetime: zone of a value without one; default UTC
	Format    string          `json:"format,omitempty"`    // date, datetime: epoch_seconds, epoch_milliseconds, or "" for the warehouses' formats
}

// Type is what a column's value becomes.
type Type string

// The data types.
const (
	String   Type = "string"
	Number   Type = "number"
	Integer  Type = "integer"
	Boolean  Type = "boolean"
	Date     Type = "date"
	DateTime Type = "datetime"
	Picklist Type = "picklist"
	JSON     Type = "json"
	Email    Type = "email"
	// MultiPicklist is a set of picklist values, sent as one text with ; between them.
	MultiPicklist Type = "multipicklist"
)

// As is what becomes of lists and objects.
type As string

// Without one they are refused in a text, and kept in JSON. join joins a list's values
// by Separator; json writes a list or an object as its JSON; flat, of a field of JSON,
// lifts the members of inner objects, their names joined by Separator.
const (
	AsJoin As = "join"
	AsJSON As = "json"
	AsFlat As = "flat"
)

// DefaultSeparator stands between the values that are joined, where a field has none of
// its own; names are joined by DefaultJoint.
const (
	DefaultSeparator = ", "
	DefaultJoint     = "_"
)

// SpreadMark ends a destination that stands for each member of an object: * or plan_*.
const SpreadMark = "*"

// PersonalAllowed is what a connection says that may take personal data.
const PersonalAllowed = "allowed"

// TooLong says what happens to a value over max_length.
type TooLong string

// reject is the default.
const (
	RejectLong   TooLong = "reject"
	TruncateLong TooLong = "truncate"
)

// OnNull says what a null does to the destination's field.
type OnNull string

// skip leaves the field alone, clear sets it to null, default uses default.
const (
	SkipNull    OnNull = "skip"
	ClearNull   OnNull = "clear"
	DefaultNull OnNull = "default"
)

// OnUnknown says what a picklist does with a text that is none of its values.
type OnUnknown string

// reject is the default; default sends the field's default in its place.
const (
	RejectUnknown  OnUnknown = "reject"
	DefaultUnknown OnUnknown = "default"
)

// A Connection is one account at a vendor, from connections.yaml. It is stored
// apart from the versions that name it and read again while rows wait, so that a
// mended address or quota soon holds.
type Connection struct {
	Name   string `json:"name"`
	Type   string `json:"type"`             // the destination type
	URL    string `json:"url,omitempty"`    // the account's address; the type's own when absent
	Secret string `json:"secret,omitempty"` // the secret's name; the connection's name when absent
	Quota  Quota  `json:"quota"`            // the share of the account's limits; the type's own when absent
	// Personal is PersonalAllowed where columns that are marked personal may be sent;
	// "" refuses them.
	Personal string `json:"personal,omitempty"`
	// Options are the keys of the destination type's own, as text, with their
	// defaults; in YAML they stand beside the others.
	Options map[string]string `json:"options,omitempty"`
}

// Quota is the share of the vendor's limits that Penstock may use.
type Quota struct {
	CallsPerDay int64 `json:"calls_per_day,omitempty"` // what the account may spend in 24 hours
	Share       int   `json:"share,omitempty"`         // percent of it
}

// A Version is an immutable, content-addressed revision of a sync. Of its
// connection it holds name and type only, in Definition and Rules.
type Version struct {
	ID         string     `json:"id"` // "v" and 12 hex digits of SHA-256 over the canonical JSON of definition and rules
	Definition Definition `json:"definition"`
	Rules      Rules      `json:"rules"`
	AppliedAt  time.Time  `json:"applied_at"` // not part of the hash
}
