package local_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/app/apptest"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	salesforcesim "github.com/penstock-data/penstock/shared/sandbox/salesforce"
)

// proofRows is how many rows a proof pushes: `make proof` asks for 200,000.
func proofRows(t *testing.T, otherwise int) int {
	t.Helper()
	text := os.Getenv("PENSTOCK_PROOF_ROWS")
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1000 {
		t.Fatalf("PENSTOCK_PROOF_ROWS is %q: want a number of rows, 1000 at least", text)
	}
	return n
}

const (
	// A killed process's messages come back after hidden; alive is the time of an
	// invocation, less than that as AWS has it, and more than the 5 s that a worker
	// keeps for handing back.
	hidden = 9 * time.Second
	alive  = 8 * time.Second
	// patience is how long a proof waits for its rows after the last kill.
	patience = 10 * time.Minute
)

// Processes are killed with SIGKILL all the while rows are pushed and delivered.
// Afterwards every row is at the destination with its last value, once; every run has
// counted every row once; and no row is an error
// but by the death of those who had it in hand (I1, I2, I3, I4).
func TestBootstrapsSurviveKills(t *testing.T) {
	rows := proofRows(t, 5000)
	d := deploy(t, plan{
		Set:        apptest.Load(t, "testdata/syncs"),
		Sizes:      map[string]int{"push": 3, "control": 2, "sweep": 2, "salesforce": 4},
		Visibility: hidden, Timeout: alive, Batch: 3, Sweep: time.Second,
	})
	begun := time.Now()
	seed := uint64(begun.UnixNano())
	t.Logf("seed of the kills: %d", seed)
	k := &killer{
		d: d, rand: rand.New(rand.NewPCG(seed, 0)), stop: make(chan struct{}), done: make(chan struct{}),
		least: 200 * time.Millisecond, spread: 200 * time.Millisecond, most: max(rows/250, 40),
	}
	if rows < 50_000 { // few rows are delivered soon
		k.least, k.spread = 50*time.Millisecond, 100*time.Millisecond
	}
	go k.run()

	// Half of the rows: two queries of one sync, the second with new values for the
	// keys of the first. The other half: a begun run.
	part := rows / 4
	var g errgroup.Group
	g.Go(func() error {
		d.push(t, "accounts", "one", 0, part, 1)
		d.push(t, "accounts", "two", 0, part, 2)
		return nil
	})
	bracket := control[runs.Begun](t, d, "begin", `"contacts"`)
	g.Go(func() error { d.push(t, bracket.Run, "three", 0, 2*part, 1); return nil })
	_ = g.Wait() // what fails ends the test
	pushed := time.Since(begun)
	control[runs.RunStatus](t, d, "finish", fmt.Sprintf("%q", bracket.Run), strconv.Itoa(2*part))
	d.until(t, "the queue to empty, or the last kill", patience, func() bool {
		return d.depth(t, "salesforce") == 0 || k.kills.Load() >= int64(k.most)
	})
	close(k.stop)
	<-k.done
	counts := map[string]run.Counts{}
	crashed := 0
	for _, p := range []struct {
		id, sync, again string
		rows, value     int
	}{
		{id: run.ImplicitID("accounts", "one"), rows: part},
		{id: run.ImplicitID("accounts", "two"), rows: part, sync: "accounts", again: "four", value: 2},
		{id: bracket.Run, rows: 2 * part, sync: "contacts", again: "five", value: 1},
	} {
		c, bad := d.counted(t, p.id, p.rows)
		counts[p.id] = c
		if crashed += bad; bad > 0 && p.again != "" { // as the error says
			d.push(t, p.sync, p.again, 0, p.rows, p.value)
			d.counted(t, run.ImplicitID(p.sync, p.again), p.rows)
		}
	}
	if n := int(k.kills.Load()); crashed > n/100 {
		t.Errorf("%d rows were in hand at two deaths of %d", crashed, n)
	}
	d.compare(t, "Account", "Name", part, 2)
	d.compare(t, "Contact", "LastName", 2*part, 1)
	d.next(t, 2*part)
	if n := d.depth(t, "salesforce-dlq"); n != 0 {
		t.Errorf("%d dead letters", n)
	}
	for _, value := range []string{"name 1 of", "c0000"} {
		if strings.Contains(d.log.String(), value) { // I6
			t.Errorf("the log holds %q", value)
		}
	}
	if n := k.kills.Load(); n < 20 {
		t.Errorf("%d kills prove little", n)
	}
	t.Logf("%d rows, %d processes killed (%v), pushed in %.0f s, settled in %.0f s; %d rows crashed; %d calls to the destination; counts %+v",
		4*part, k.kills.Load(), k.by(), pushed.Seconds(), time.Since(begun).Seconds(), crashed, d.vendors.Salesforce.Core().Calls().Total, counts)
}

// firstCursor is the first row's; each next one's is a second later.
var firstCursor = time.Date(2024, 1, 15, 10, 0, 0, 0, time.UTC)

func cursor(n int) string {
	return firstCursor.Add(time.Duration(n) * time.Second).Format(time.RFC3339)
}

// push pushes the rows up to n of one query to a sync or run, in order, in requests of 2,000 or
// a tenth of the rows, as a warehouse does.
func (d *deployment) push(t testing.TB, target, query string, first, n, value int) {
	pushSize := min(2000, max(n/10, 1))
	for from := first; from < n; from += pushSize {
		var rows [][]string
		for i := from; i < min(from+pushSize, n); i++ {
			rows = append(rows, []string{fmt.Sprintf("%q", target), fmt.Sprintf(`{"ID":"c%07d","NAME":"name %d of %d","N":%d,"U":%q}`, i, value, i, 10*i+value, cursor(i))})
		}
		for i, a := range apptest.Answers(t, d.call(t, "push", apptest.Request("push", query, fmt.Sprintf("%s:%d", query, from), rows...))) {
			if a.Status != "queued" {
				t.Errorf("row %d of %s is answered %+v", from+i, query, a)
			}
		}
	}
}

// counted waits for a run of n rows and holds its counts against them. No row is an
// error, except one that two workers died on by chance, alone in hand: from outside
// that cannot be told from a row that kills. They are counted in crashed.
func (d *deployment) counted(t *testing.T, id string, n int) (c run.Counts, crashed int) {
	t.Helper()
	c = d.settled(t, id, patience).Counts
	for _, e := range apptest.Errors(t, d.fleets["control"], id) {
		if e.Type != "crashed" {
			t.Errorf("run %s: error %s: %s", id, e.Type, e.Message)
		}
		crashed++
	}
	if c.Received != int64(n) || c.Settled() != int64(n) || c.Queued != 0 || c.Delivered+c.Unchanged+c.Superseded != int64(n-crashed) {
		t.Errorf("run %s of %d rows, %d of them crashed: %+v", id, n, crashed, c)
	}
	return c, crashed
}

// next is the run after the one that processes died on. What a retried batch brought
// late holds the mark, so that it is selected again: nothing of it is sent, and the
// mark reaches the end (I4).
func (d *deployment) next(t *testing.T, n int) {
	t.Helper()
	b := control[struct{ Run, Select, Watermark string }](t, d, "begin", `"contacts"`)
	since, err := time.Parse(time.RFC3339, b.Watermark)
	if err != nil || b.Select != string(runs.Since) {
		t.Fatalf("the next run: %+v", b)
	}
	from := int(since.Sub(firstCursor) / time.Second)
	if from < 0 || from >= n {
		t.Fatalf("the watermark is %s", b.Watermark)
	}
	d.push(t, b.Run, "next", from, n, 1)
	control[runs.RunStatus](t, d, "finish", fmt.Sprintf("%q", b.Run), strconv.Itoa(n-from))
	if c := d.settled(t, b.Run, patience).Counts; c.Unchanged != int64(n-from) {
		t.Errorf("the next run selects %d rows: %+v", n-from, c)
	}
	if s := control[apptest.SyncStatus](t, d, "status", `"contacts"`); s.Watermark != fmt.Sprintf("%q", cursor(n-1)) {
		t.Errorf("the watermark is %s, want %q", s.Watermark, cursor(n-1))
	}
	t.Logf("the next run selects %d rows, all of them unchanged", n-from)
}

// compare holds the destination's records against what was pushed.
func (d *deployment) compare(t *testing.T, object, name string, n, value int) {
	t.Helper()
	seen := make([]int, n)
	wrong := 0
	d.vendors.Salesforce.Each(object, func(r salesforcesim.Record) bool {
		id, _ := r.Text("Customer_ID__c")
		text, _ := r.Text(name)
		number, _ := r.Text("Daily_Active_Users__c")
		var i int
		if _, err := fmt.Sscanf(string(id), "c%d", &i); err != nil || i < 0 || i >= n {
			t.Errorf("%s %s was not pushed", object, id)
			return true
		}
		seen[i]++
		if string(text) != fmt.Sprintf("name %d of %d", value, i) || string(number) != strconv.Itoa(10*i+value) {
			if wrong++; wrong <= 10 {
				t.Errorf("%s %s holds %s, %s", object, id, text, number)
			}
		}
		return true
	})
	missing := 0
	for _, times := range seen {
		if times == 0 {
			missing++
		}
	}
	if missing > 0 || wrong > 0 || d.vendors.Salesforce.Count(object) != n {
		t.Errorf("%s: %d records of %d keys, %d are missing, %d are wrong", object, d.vendors.Salesforce.Count(object), n, missing, wrong)
	}
}

// A killer ends one process after the other, of any function.
type killer struct {
	d             *deployment
	rand          *rand.Rand
	least, spread time.Duration // a kill every least to least+spread
	most          int           // kills
	stop, done    chan struct{}
	kills         atomic.Int64
	of            map[string]int
}

func (k *killer) run() {
	defer close(k.done)
	k.of = map[string]int{}
	victims := []string{"push", "push", "salesforce", "salesforce", "salesforce", "sweep", "control"}
	for k.kills.Load() < int64(k.most) {
		select {
		case <-k.stop:
			return
		case <-time.After(k.least + time.Duration(k.rand.Int64N(int64(k.spread)))):
		}
		if f := victims[k.rand.IntN(len(victims))]; k.d.fleets[f].killOne(k.rand) {
			k.kills.Add(1)
			k.of[f]++
		}
	}
}

// by tells the kills by function, once the killer is done.
func (k *killer) by() string {
	var all []string
	for f, n := range k.of {
		all = append(all, fmt.Sprintf("%s %d", f, n))
	}
	slices.Sort(all)
	return fmt.Sprint(all)
}
