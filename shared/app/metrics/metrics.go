// Package metrics makes a log line a metric as well (Amazon CloudWatch
// documentation, "Embedded metric format"): what the functions count and
// template.yaml has alarms and a dashboard on. It holds counts and the names of the
// function and the connection, never a row's value or a name of a sync (I6).
package metrics

import (
	"log/slog"
	"maps"
	"slices"
	"time"
)

// Namespace and Dimension are where CloudWatch shows the counts. A function's name
// begins with its stack's, so that two stacks of one account never share a metric.
const (
	Namespace = "Penstock"
	Dimension = "FunctionName"
	// Connection is the second dimension, of some: a stack has few of them, and a
	// definition cannot make one. No metric has a sync, a run or a field as a dimension.
	Connection = "Connection"
)

// The metrics of a function, in counts.
const (
	StorageFailures = "StorageFailures" // failures of our own tables, keys and queues; nobody's attempt
	FailedRows      = "FailedRows"      // rows that a message ended as failed
	StoredErrors    = "StoredErrors"    // errors stored, those of rows that were rejected at once included
	OldMessages     = "OldMessages"     // messages in hand that are older than OldAfter
)

// The metrics of a function and a connection: rows and calls in counts, the others as
// they stand when the sweeper looks.
const (
	RowsDelivered    = "RowsDelivered"
	RowsNotDelivered = "RowsNotDelivered" // FailedRows, by connection
	Calls            = "Calls"            // requests to the destination
	RowsNotRight     = "RowsNotRight"     // rows that are not right at the destination by the counts of the runs that are listed; what another run mended is among them
	QuotaUsed        = "QuotaUsed"        // percent of the day's share
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

// Add adds a count to those of a list, by its name.
func Add(all []Count, c Count) []Count {
	for i := range all {
		if all[i].Name == c.Name {
			all[i].N += c.N
			return all
		}
	}
	return append(all, c)
}

// Lines are the attributes that make one log line, and where there are several
// connections one further line each, the metrics of the function and of its connections:
// a line has one value of a dimension. The function's name is an attribute of each
// beside these. Zero counts are left out, and with them their price: a custom metric is
// paid by the hour in which it is written.
func Lines(at time.Time, counts []Count, of map[string][]Count) (own []slog.Attr, others [][]slog.Attr) {
	var first line
	first.add([]string{Dimension}, counts)
	names := slices.Sorted(maps.Keys(of))
	for n, name := range names {
		l := &first
		if n > 0 {
			l = &line{}
		}
		if l.add([]string{Dimension, Connection}, of[name]) {
			l.values = append(l.values, slog.String(Connection, name))
		}
		if n > 0 {
			if attrs := l.attrs(at); attrs != nil {
				others = append(others, attrs)
			}
		}
	}
	return first.attrs(at), others
}

// A line is one log line's metrics.
type line struct {
	values     []slog.Attr
	directives []any
}

// add adds a set of counts under the same dimensions, and reports whether any is not
// zero.
func (l *line) add(dimensions []string, counts []Count) bool {
	var defined []any
	for _, c := range counts {
		if c.N == 0 {
			continue
		}
		unit := "Count"
		if c.Name == QuotaUsed {
			unit = "Percent"
		}
		l.values = append(l.values, slog.Int(c.Name, c.N))
		defined = append(defined, map[string]string{"Name": c.Name, "Unit": unit})
	}
	if defined != nil {
		l.directives = append(l.directives, map[string]any{"Namespace": Namespace, "Dimensions": [][]string{dimensions}, "Metrics": defined})
	}
	return defined != nil
}

// attrs are nil without a metric.
func (l *line) attrs(at time.Time) []slog.Attr {
	if l.directives == nil {
		return nil
	}
	return append(l.values, slog.Any("_aws", map[string]any{"Timestamp": at.UnixMilli(), "CloudWatchMetrics": l.directives}))
}
