// Package redshift speaks the protocol of Amazon Redshift's Lambda UDFs: Redshift
// invokes the function directly, with a batch of arguments, and takes a JSON string
// of as many results. There are no headers, paths and statuses: who calls, what is
// called and which query it is stand in the payload, a refusal in the answer, and
// only a failed invocation may make Redshift send a batch again.
//
// Arguments have no objects (the type SUPER cannot be passed), so that rows arrive as
// JSON text; results are VARCHAR, so that each is a JSON text as well.
//
// Format: Amazon Redshift Database Developer Guide, "Scalar Lambda UDFs" ("Using the
// JSON interface between Amazon Redshift and AWS Lambda") and "CREATE EXTERNAL
// FUNCTION".
package redshift

import "github.com/penstock-data/penstock/shared/wire"

// Protocol is Redshift as a caller.
var Protocol = wire.Protocol{Name: "redshift", Decode: Decode, Encode: encode, Refuse: refuse, MaxValue: MaxValue}

const (
	// BatchRows is MAX_BATCH_ROWS of the external functions: Redshift's own is 2^31.
	BatchRows = 1000
	// BatchMB is MAX_BATCH_SIZE in MB. Redshift's own, 5 MB, leaves no room within the
	// 6 MB of a Lambda payload (AWS documentation, "Lambda quotas") for the quotes that
	// JSON in VARCHAR needs.
	BatchMB = 1
	// RetryTimeout is RETRY_TIMEOUT in milliseconds: how long Redshift waits in all
	// between its tries of one batch. Its own is 20 s; queues and tables that are
	// throttled need longer to grow.
	RetryTimeout = 60_000
	// MaxValue is how many bytes one result may have: a VARCHAR has 65,535 (Redshift
	// documentation, "Character types"), and the result may stand beside others.
	MaxValue = 60_000
	// MaxRow is how many bytes a row may have as JSON text, by the same page.
	MaxRow = 65535
	// TooLarge is the key of what the source view of a sync sends for a longer row: its
	// length, beside the columns of its record id.
	TooLarge = "penstock_too_large"
	// MaxReply is how many bytes an answer may have: 6 MB (AWS documentation, "Lambda
	// quotas": invocation payload, synchronous), less what a runtime may add.
	MaxReply = 6<<20 - 1024
)
