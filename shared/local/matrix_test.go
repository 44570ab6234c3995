package local_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/app/apptest"
	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sandbox"
)

// A moment is when a process dies: at a request to a service.
type moment struct {
	tap   string
	op    string // the beginning of passing.op
	holds string // a part of the body
	nth   int64  // of such requests; 0 is the first
	after bool   // the service has answered; else it has not seen the request
}

func (m moment) is(p *passing) bool {
	return strings.HasPrefix(p.op, m.op) && strings.Contains(p.body, m.holds)
}

// The moments.
var (
	pins     = moment{tap: "dynamodb", op: "PutItem", holds: `"BATCH#`}
	pinned   = moment{tap: "dynamodb", op: "PutItem", holds: `"BATCH#`, after: true}
	sends    = moment{tap: "sqs", op: "SendMessageBatch"}
	halfSent = moment{tap: "sqs", op: "SendMessageBatch", nth: 1}
	marks    = moment{tap: "dynamodb", op: "UpdateItem", holds: "SET sent"}
	marked   = moment{tap: "dynamodb", op: "UpdateItem", holds: "SET sent", after: true}
	pushes   = moment{tap: "salesforce", op: "PATCH "}
	pushed   = moment{tap: "salesforce", op: "PATCH ", after: true}
	posted   = moment{tap: "slack", op: "POST /api/chat.postMessage", after: true}
	records  = moment{tap: "dynamodb", op: "PutItem", holds: `"CHUNK#`}
	recorded = moment{tap: "dynamodb", op: "PutItem", holds: `"CHUNK#`, after: true}
)

// A scene is one cell of the failure matrix on a deployment: a begun run of a few
// rows, on whose way a process dies.
type scene struct {
	*deployment
	t      *testing.T
	number int
	run    string
	sites  []string
	deaths atomic.Int64
	calls  atomic.Int64 // to the destination, at the death

	mu   sync.Mutex
	sent []string // bodies of the messages
}

// A cell is one row of the failure matrix.
type cell struct {
	point  string // as the matrix has it, and what of it
	victim string // the function whose process dies
	at     moment
	wide   bool // rows of more lanes than a call of the queue takes
	absent int  // so many of the rows have no Account
	// late says that the warehouse's retry brings rows: what comes late may be older
	// than what came since, so that it holds the mark.
	late   bool
	refuse bool // the destination refuses the first row
	quiet  bool // the destination is not called again after the death
	// dying looks at what there is in the moment of the death.
	dying func(s *scene)
	want  run.Counts // of the run in the end, without calls
}

// cells are the failure matrix as far as one process dies on the way of a run of
// three rows; the sweeper's, the dead letters' and the inserts' have tests below.
var cells = []cell{
	{point: "before the batch item", victim: "push", at: pins, want: delivered(3), dying: func(s *scene) {
		s.batches(0, false)
		s.queued(0, 0)
	}},
	{point: "after the item, before the send", victim: "push", at: pinned, late: true, want: delivered(3), dying: func(s *scene) {
		s.batches(1, false)
		s.queued(0, 0)
	}},
	{point: "after the item, at the send", victim: "push", at: sends, late: true, want: delivered(3), dying: func(s *scene) {
		s.batches(1, false)
		s.queued(0, 0)
	}},
	{point: "after the item, amid the send", victim: "push", at: halfSent, wide: true, late: true, want: delivered(40), dying: func(s *scene) {
		s.batches(1, false)
		s.queued(1, 13) // of 14 lanes, in two calls side by side
	}},
	{point: "after the send, before the answer: not marked as sent", victim: "push", at: marks, want: delivered(3), dying: func(s *scene) {
		s.batches(1, false)
		s.queued(1, 1)
	}},
	{point: "after the send, before the answer: marked as sent", victim: "push", at: marked, want: delivered(3), dying: func(s *scene) {
		s.batches(1, true)
		s.queued(1, 1)
	}},
	{point: "worker before the push", victim: "salesforce", at: pushes, want: delivered(3), dying: func(s *scene) {
		s.scores("", "", "")
		s.held(false, false, false)
	}},
	{point: "after the push, before the ledger", victim: "salesforce", at: pushed, want: delivered(3), dying: func(s *scene) {
		s.scores("1", "2", "3")
		s.held(false, false, false)
	}},
	{point: "after the ledger, before the counter", victim: "salesforce", at: records, quiet: true, want: delivered(3), dying: func(s *scene) {
		s.scores("1", "2", "3")
		s.held(true, true, true)
		s.done(0)
	}},
	{point: "after the counter, before the ack", victim: "salesforce", at: recorded, quiet: true, want: delivered(3), dying: func(s *scene) {
		s.held(true, true, true)
		s.done(1)
		s.queued(1, 1)
	}},
	{point: "failed rows stored, counter not", victim: "salesforce", at: records, absent: 2, quiet: true, want: run.Counts{Received: 3, Delivered: 1, Failed: 2}, dying: func(s *scene) {
		s.errors(2)
		s.done(0)
	}},
	{point: "partial success", victim: "salesforce", at: records, refuse: true, quiet: true, want: run.Counts{Received: 3, Delivered: 2, Failed: 1}, dying: func(s *scene) {
		s.scores("", "2", "3")
		s.held(false, true, true)
		s.errors(1)
		s.done(0)
	}},
}

func delivered(n int64) run.Counts { return run.Counts{Received: n, Delivered: n} }

// Every cell is reached, and holds what the matrix says.
func TestBootstrapsHoldTheFailureMatrix(t *testing.T) {
	d := deploy(t, plan{
		Set: apptest.Load(t, "testdata/syncs"), Sizes: map[string]int{"sweep": 2}, Visibility: 2 * time.Second, Timeout: 20 * time.Second,
	})
	for n, c := range cells {
		t.Run(c.point, func(t *testing.T) { c.play(t, d, n) })
	}
	t.Run("after the push, before the ledger: an insert", func(t *testing.T) { d.insert(t) })
	t.Run("sweeper races a worker", func(t *testing.T) { d.race(t, len(cells)) })
}

// play takes a run through the cell.
func (c cell) play(t *testing.T, d *deployment, n int) {
	sync, rows := "health", 3
	if c.wide {
		sync, rows = "wide", 40
	}
	s := begin(t, d, sync, n, rows)
	d.vendors.SeedAccounts(t, s.sites[c.absent:]...)
	if c.refuse {
		err := d.vendors.Salesforce.Core().AddFault(sandbox.Fault{Match: "PATCH", Count: -1, FailRecords: []string{"1"}, Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "not now"})
		if err != nil {
			t.Fatal(err)
		}
		defer d.vendors.Salesforce.Core().ClearFaults()
	}
	d.paused.Store(true)
	s.killAt(c.victim, c.at, c.dying)
	s.push()
	if c.victim == "push" && s.deaths.Load() != 1 {
		t.Fatalf("%d processes died: the cell was not reached", s.deaths.Load())
	}
	d.paused.Store(false)
	s.ends(c)
	s.again(c.want)
}

// begin begins a run, and makes its rows' web sites.
func begin(t *testing.T, d *deployment, sync string, n, rows int) *scene {
	t.Helper()
	b := control[runs.Begun](t, d, "begin", fmt.Sprintf("%q", sync))
	if b.Run == "" {
		t.Fatalf("begin of %s: %+v", sync, b)
	}
	s := &scene{deployment: d, t: t, number: n, run: b.Run}
	for i := range rows {
		s.sites = append(s.sites, fmt.Sprintf("site%d-%d.example", n, i))
	}
	d.taps["sqs"].before(func(p *passing) *reply {
		var in struct {
			Entries []struct{ MessageBody string }
		}
		if p.op == "SendMessageBatch" && json.Unmarshal([]byte(p.body), &in) == nil {
			s.mu.Lock()
			for _, e := range in.Entries {
				s.sent = append(s.sent, e.MessageBody)
			}
			s.mu.Unlock()
		}
		return nil
	})
	t.Cleanup(d.taps["sqs"].clear)
	return s
}

// killAt kills the function's process at a moment, once, after a look at what there is.
func (s *scene) killAt(victim string, m moment, look func(*scene)) {
	var seen atomic.Int64
	hook := func(p *passing) *reply {
		if !m.is(p) || seen.Add(1) != m.nth+1 {
			return nil
		}
		if m.after && p.status >= 300 {
			s.t.Errorf("%s was answered %d: %s", p.op, p.status, p.answer)
		}
		look(s)
		s.calls.Store(s.vendors.Salesforce.Core().Calls().Total)
		s.deaths.Add(int64(s.fleets[victim].kill()))
		return &reply{}
	}
	tap := s.taps[m.tap]
	s.t.Cleanup(tap.clear)
	if m.after {
		tap.behind(hook)
		return
	}
	tap.before(hook)
}

// cursorOf is the cursor of a row.
func (s *scene) cursorOf(i int) string { return cursor(1000*s.number + i) }

// push pushes the run's rows as one request, again when the process dies, and
// finishes the run.
func (s *scene) push() {
	s.t.Helper()
	var rows [][]string
	for i, site := range s.sites {
		rows = append(rows, []string{fmt.Sprintf("%q", s.run), fmt.Sprintf(`{"EMAIL":"a@%s","N":%d,"U":%q}`, site, i+1, s.cursorOf(i))})
	}
	for i, a := range apptest.Answers(s.t, s.call(s.t, "push", apptest.Request("push", s.run, s.run+":1", rows...))) {
		if a.Status != "queued" {
			s.t.Errorf("row %d is answered %+v", i, a)
		}
	}
	control[runs.RunStatus](s.t, s.deployment, "finish", fmt.Sprintf("%q", s.run), fmt.Sprint(len(rows)))
}

// ends waits for the run, and compares what became of its rows.
func (s *scene) ends(c cell) {
	s.t.Helper()
	r := s.settled(s.t, s.run, time.Minute)
	if s.deaths.Load() != 1 {
		s.t.Fatalf("%d processes died: the cell was not reached", s.deaths.Load())
	}
	s.counted(c.want)
	if n := s.vendors.Salesforce.Core().Calls().Total - s.calls.Load(); c.quiet && n != 0 {
		s.t.Errorf("%d calls to the destination after the death, want none", n)
	}
	failed := c.absent // the first rows
	if c.refuse {
		failed = 1
	}
	scores := s.vendors.Accounts("Health_Score__c")
	for i, site := range s.sites[failed:] {
		if got := scores[site]; got != fmt.Sprint(failed+i+1) {
			s.t.Errorf("%s has score %q", site, got)
		}
	}
	errs := apptest.Errors(s.t, s.fleets["control"], s.run)
	for _, e := range errs {
		if e.Attempts != 1 {
			s.t.Errorf("error %s counts %d attempts", e.Type, e.Attempts)
		}
	}
	if len(errs) != failed {
		s.t.Errorf("%d errors, want %d", len(errs), failed)
	}
	least, most := s.cursorOf(0), s.cursorOf(len(s.sites)-1)
	switch {
	case failed > 0 || c.late && !c.wide: // the hold
		most = least
	case !c.late:
		least = most
	}
	mark := strings.Trim(control[apptest.SyncStatus](s.t, s.deployment, "status", fmt.Sprintf("%q", r.Sync)).Watermark, `"`)
	if mark < least || mark > most {
		s.t.Errorf("the watermark is %s, want %s to %s", mark, least, most)
	}
}

func (s *scene) counted(want run.Counts) {
	s.t.Helper()
	got := s.deployment.run(s.t, s.run).Counts
	got.Calls, got.LookedUp = 0, 0
	if d := cmp.Diff(want, got); d != "" {
		s.t.Errorf("counts: %s", d)
	}
}

// again queues every message of the run once more, under ids that the queue does not
// know: nothing is counted, and nothing sent (I2).
func (s *scene) again(want run.Counts) {
	s.t.Helper()
	s.until(s.t, "the queue to empty", time.Minute, func() bool { return s.depth(s.t, "salesforce") == 0 })
	calls := s.vendors.Salesforce.Core().Calls().Total
	s.mu.Lock()
	sent := slices.Clone(s.sent)
	s.mu.Unlock()
	var msgs []envelope.Message
	for i, body := range sent {
		msgs = append(msgs, envelope.Message{Group: "again", Dedup: fmt.Sprintf("%s.again.%d", s.run, i), Body: []byte(body)})
	}
	if accepted, err := s.queue.Send(s.t.Context(), "salesforce", msgs); err != nil || slices.Contains(accepted, false) || len(msgs) == 0 {
		s.t.Fatalf("queue %d messages again: %v", len(msgs), err)
	}
	s.until(s.t, "the queue to empty again", time.Minute, func() bool { return s.depth(s.t, "salesforce") == 0 })
	s.counted(want)
	if n := s.vendors.Salesforce.Core().Calls().Total; n != calls {
		s.t.Errorf("%d calls to the destination for messages that were settled", n-calls)
	}
}

// What follows looks at what there is while a process dies.

func (s *scene) batches(n int, sent bool) {
	all, err := s.store.Batches(s.t.Context(), s.run)
	if err != nil || len(all) != n || n > 0 && all[0].Sent != sent {
		s.t.Errorf("%d batches, %v, want %d, sent %t: %+v", len(all), err, n, sent, all)
	}
}

// queued waits for from least to most messages, since calls of the queue go side by side.
func (s *scene) queued(least, most int) {
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		n := s.depth(s.t, "salesforce")
		if n >= least && n <= most {
			return
		}
		if time.Now().After(end) {
			s.t.Errorf("%d messages are queued, want %d to %d", n, least, most)
			return
		}
	}
}

func (s *scene) scores(want ...string) {
	all := s.vendors.Accounts("Health_Score__c")
	for i, w := range want {
		if got := all[s.sites[i]]; got != w {
			s.t.Errorf("row %d has score %q, want %q", i, got, w)
		}
	}
}

func (s *scene) entries() map[string]ledger.Entry {
	r, err := s.store.Run(s.t.Context(), s.run)
	if err != nil {
		s.t.Error(err)
	}
	entries, err := s.ledger.Entries(s.t.Context(), r.Target, s.sites)
	if err != nil {
		s.t.Error(err)
	}
	return entries
}

func (s *scene) held(want ...bool) {
	all := s.entries()
	for i, w := range want {
		if e := all[s.sites[i]]; e.Held.Fingerprint.Void() == w {
			s.t.Errorf("row %d is held: %t, want %t", i, !w, w)
		}
	}
}

func (s *scene) done(n int) {
	got := 0
	err := s.store.Chunks(s.t.Context(), s.run, func(_ string, _ int, c run.Chunk) error {
		if c.Done {
			got++
		}
		return nil
	})
	if err != nil || got != n {
		s.t.Errorf("%d messages are recorded, %v, want %d", got, err, n)
	}
}

func (s *scene) errors(n int) {
	if got := len(apptest.Errors(s.t, s.fleets["control"], s.run)); got != n {
		s.t.Errorf("%d errors are stored, want %d", got, n)
	}
}
