// Package telemetry writes the one line that every invocation of every function logs:
// JSON of known fields, and the metrics among them (package metrics). docs/telemetry.md
// lists the fields. A line holds names of syncs, runs and connections, numbers and
// outcomes; never a row's value, a key, an address or a secret (I6).
package telemetry

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/penstock-data/penstock/shared/app/metrics"
	"github.com/penstock-data/penstock/shared/run"
)

// An Outcome is how an invocation ended.
type Outcome string

// The outcomes.
const (
	OK      Outcome = "ok"
	Refused Outcome = "refused" // the caller's mistake, answered as such
	Waiting Outcome = "waiting" // some of its work goes back to the queue
	Idle    Outcome = "idle"    // there was nothing to do
	Failed  Outcome = "failed"  // ours: storage, an event that cannot be read
)

// named is how many syncs and runs a line names at most; the rest is counted.
const named = 10

// A Source is where a function's lines come from. The zero value is not ready: Log is
// needed.
type Source struct {
	Log  *slog.Logger
	What string // the function's folder: push, control, salesforce
	// Function is the name that metrics go under, as Lambda knows it; "" is What, and says
	// that this is no Lambda: what a tick did is logged as debug there, since ticks come
	// many times a second.
	Function string
	Now      func() time.Time
	Warm     *atomic.Bool // false until the first invocation of the process
	// Request is the id of the invocation of a context; nil where there is none.
	Request func(ctx context.Context) string
}

// A Line is one invocation's. It is safe for concurrent use.
type Line struct {
	source  Source
	message string
	request string
	cold    bool
	started time.Time

	mu     sync.Mutex
	tick   bool
	attrs  []slog.Attr
	syncs  []string
	runs   []string
	more   int
	rows   map[string]int64
	counts []metrics.Count
	of     map[string][]metrics.Count // by connection
}

type key struct{}

// Begin opens the line of an invocation, which From finds in the context.
func (s Source) Begin(ctx context.Context, message string) (context.Context, *Line) {
	l := &Line{source: s, message: message, started: s.Now(), rows: map[string]int64{}, of: map[string][]metrics.Count{}}
	if s.Warm != nil {
		l.cold = !s.Warm.Swap(true)
	}
	if s.Request != nil {
		l.request = s.Request(ctx)
	}
	return context.WithValue(ctx, key{}, l), l
}

// From is the line of the invocation that a context is of; one that nobody writes where
// there is none.
func From(ctx context.Context) *Line {
	if l, ok := ctx.Value(key{}).(*Line); ok {
		return l
	}
	return &Line{rows: map[string]int64{}, of: map[string][]metrics.Count{}}
}

// Add adds fields: names of ours, numbers and outcomes only (I6).
func (l *Line) Add(attrs ...slog.Attr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.attrs = append(l.attrs, attrs...)
}

// Tick says that a clock asked, and nobody waits to read of it.
func (l *Line) Tick() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tick = true
}

// Message is what the line says it is of, where that is known only later.
func (l *Line) Message(m string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.message = m
}

// Sync names a sync that is applied. What a caller names is no such thing until it was
// found.
func (l *Line) Sync(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.name(&l.syncs, name)
}

// Run names a run that there is, and its sync.
func (l *Line) Run(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.name(&l.runs, id)
	l.name(&l.syncs, run.SyncOf(id))
}

func (l *Line) name(list *[]string, name string) {
	switch {
	case name == "" || slices.Contains(*list, name):
	case len(*list) == named:
		l.more++
	default:
		*list = append(*list, name)
	}
}

// Rows counts rows by what became of them.
func (l *Line) Rows(outcome string, n int64) {
	if n == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rows[outcome] += n
}

// Count adds metrics of the function.
func (l *Line) Count(c ...metrics.Count) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts = append(l.counts, c...)
}

// Of adds metrics of the function and a connection, which are summed.
func (l *Line) Of(connection string, counts ...metrics.Count) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range counts {
		l.of[connection] = metrics.Add(l.of[connection], c)
	}
}

// End writes the line. err is a failure of ours, whose text quotes no row (I6).
func (l *Line) End(ctx context.Context, o Outcome, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.source.Log == nil {
		return
	}
	function := cmp.Or(l.source.Function, l.source.What)
	attrs := []slog.Attr{slog.String(metrics.Dimension, function)}
	if l.request != "" {
		attrs = append(attrs, slog.String("request", l.request))
	}
	attrs = append(attrs, slog.Bool("cold", l.cold), slog.String("outcome", string(o)))
	attrs = append(attrs, l.attrs...)
	attrs = append(attrs, l.names()...)
	attrs = append(attrs, slog.Int64("ms", l.source.Now().Sub(l.started).Milliseconds()))
	level := slog.LevelInfo
	switch {
	case err != nil:
		level = slog.LevelError
		attrs = append(attrs, slog.String("error", err.Error()))
	case o == Failed:
		level = slog.LevelError
	case l.tick && l.source.Function == "":
		level = slog.LevelDebug
	}
	own, others := metrics.Lines(l.started, l.counts, l.of)
	l.source.Log.LogAttrs(ctx, level, l.message, append(attrs, own...)...)
	for _, more := range others {
		l.source.Log.LogAttrs(ctx, slog.LevelInfo, "metrics", append([]slog.Attr{slog.String(metrics.Dimension, function)}, more...)...)
	}
}

// names are the fields of syncs, runs and rows.
func (l *Line) names() []slog.Attr {
	var attrs []slog.Attr
	if len(l.syncs) > 0 {
		attrs = append(attrs, slog.Any("syncs", l.syncs))
	}
	if len(l.runs) > 0 {
		attrs = append(attrs, slog.Any("runs", l.runs))
	}
	if l.more > 0 {
		attrs = append(attrs, slog.Int("more_names", l.more))
	}
	if len(l.rows) > 0 {
		attrs = append(attrs, slog.Any("rows", l.rows))
	}
	return attrs
}

// Status is the outcome of a request that is answered with an HTTP status.
func Status(code int) Outcome {
	switch {
	case code >= 500:
		return Failed
	case code >= 400:
		return Refused
	}
	return OK
}
