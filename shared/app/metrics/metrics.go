// Package metrics makes a log line a metric as well (Amazon CloudWatch
// documentation, "Embedded metric format"): what the functions count and
// template.yaml has alarms on. It holds counts and the function's name, never a
// row's value or a name of a sync (I6).
package metrics

import (
	"log/slog"
	"time"
)

// Namespace and Dimension are where CloudWatch shows the counts. A function's name
// begins with its stack's, so that two stacks of one account never share a metric.
const (
	Namespace = "Penstock"
	Dimension = "FunctionName"
)

// The metrics, in counts.
const (
	StorageFailures = "StorageFailures" // failures of our own tables, keys and queues; nobody's attempt
	FailedRows      = "FailedRows"      // rows that a message ended as failed
	StoredErrors    = "StoredErrors"    // errors stored, those of rows that were rejected at once included
	OldMessages     = "OldMessages"     // messages in hand that are older than OldAfter
)

const (
	// Kept is how long a queue keeps a message: MessageRetentionPeriod in template.yaml,
	// the most that SQS allows.
	Kept = 14 * 24 * time.Hour
	// OldAfter is a quarter of it: time enough to mend a connection before its rows
	// become stored errors.
	OldAfter = Kept / 4
)

// A Count is one metric's value.
type Count struct {
	Name string
	N    int
}

// Storage counts an error that a function logs, of whatever is not a caller's mistake:
// our own tables, keys and queues refused it.
func Storage(err error) Count {
	if err == nil {
		return Count{Name: StorageFailures}
	}
	return Count{Name: StorageFailures, N: 1}
}

// Attrs are what a log line needs to be a metric of the function, as Lambda names
// it. Zero counts are left out, and with them their price: a custom metric is paid by
// the hour in which it is written. Without any there are no attributes.
func Attrs(at time.Time, function string, counts ...Count) []slog.Attr {
	var values []slog.Attr
	var defined []any
	for _, c := range counts {
		if c.N != 0 {
			values = append(values, slog.Int(c.Name, c.N))
			defined = append(defined, map[string]string{"Name": c.Name, "Unit": "Count"})
		}
	}
	if len(values) == 0 {
		return nil
	}
	return append(values, slog.String(Dimension, function), slog.Any("_aws", map[string]any{
		"Timestamp": at.UnixMilli(),
		"CloudWatchMetrics": []any{map[string]any{
			"Namespace": Namespace, "Dimensions": [][]string{{Dimension}}, "Metrics": defined,
		}},
	}))
}
