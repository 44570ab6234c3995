package apptest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/app/push"
	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/pipeline/intake"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/wire/redshift"
)

// A warehouse calls Penstock's functions as its documentation says: it sends a request,
// and takes its values, or is told to send it again, or fails the query.
type warehouse struct {
	// send makes one try. A query has a number, a request of it an id.
	send func(t *testing.T, w *World, function string, query int, id string, rows [][]jsontext.Value) (values []jsontext.Value, again bool, err error)
	// renames says that nothing keeps it from giving a request that it sends again
	// another id.
	renames bool
}

// warehouses are the callers by their protocol's name.
func warehouses(t *testing.T) map[string]func(*World) warehouse {
	return map[string]func(*World) warehouse{
		"snowflake": func(*World) warehouse { return warehouse{send: sendSnowflake} },
		"redshift":  func(*World) warehouse { return warehouse{send: sendRedshift, renames: true} },
		"bigquery":  func(w *World) warehouse { return warehouse{send: newGoogle(t, w).send, renames: true} },
	}
}

func sendSnowflake(t *testing.T, w *World, function string, query int, id string, rows [][]jsontext.Value) ([]jsontext.Value, bool, error) {
	texts := make([][]string, len(rows))
	for i, r := range rows {
		for _, v := range r {
			texts[i] = append(texts[i], string(v))
		}
	}
	name := "control"
	if function == "push" {
		name = "push"
	}
	q := fmt.Sprintf("01b1a2c3-%06d", query)
	status, values, message := Status(t, w.Invoke(t, name, Request(function, q, q+":"+id, texts...)))
	switch {
	case status == 200:
		return values, false, nil
	case status == 429 || status >= 500:
		return nil, true, nil
	}
	return nil, false, errors.New(message)
}

func sendRedshift(t *testing.T, w *World, function string, query int, id string, rows [][]jsontext.Value) ([]jsontext.Value, bool, error) {
	head := redshift.Head{
		Request: fmt.Sprintf("%d-%s", query, id), Cluster: "arn:aws:redshift:eu-west-1:123456789012:cluster:warehouse", User: "etl", Database: "dev",
		Function: "public.penstock_" + function, Query: int64(100 + query), Records: -1,
	}
	raw, err := w.Functions["redshift"].Invoke(t.Context(), redshift.EncodeRequest(nil, head, rows))
	if err != nil {
		return nil, true, nil
	}
	values, err := redshift.DecodeReply(raw, len(rows))
	return values, false, err
}

// maxTries is how often a warehouse sends one request at most: BigQuery's 20.
const maxTries = 20

// A client is a warehouse with a model, whose requests meet every mishap that its
// documentation tells of.
type client struct {
	warehouse

	t      *testing.T
	w      *World
	chance *rand.Rand
	query  int
	model  map[string]pair // by key
	twins  []string        // keys whose row the model has twice
	tick   int
	sent   []func() // requests of before, which may come once more
}

// A pair is a record's value and its cursor.
type pair struct{ n, u int }

// call sends a request until it is answered, and now and then although it was: at once,
// or later. Every answer to it must be the same.
func (c *client) call(function string, rows [][]jsontext.Value) []jsontext.Value {
	c.t.Helper()
	query, id := c.query, strconv.Itoa(c.chance.IntN(1_000_000_000))
	var first []jsontext.Value
	try := func() (answered bool) {
		if c.renames && c.chance.IntN(3) == 0 {
			id += "x"
		}
		values, again, err := c.send(c.t, c.w, function, query, id, rows)
		if err != nil {
			c.t.Fatalf("%s: %v", function, err)
		}
		if again {
			return false
		}
		if len(values) != len(rows) {
			c.t.Fatalf("%s: %d answers to %d rows", function, len(values), len(rows))
		}
		if first != nil && function == "push" { // what runs say of themselves changes
			if d := cmp.Diff(first, values); d != "" {
				c.t.Fatalf("%s is answered otherwise the second time: %s", function, d)
			}
		}
		if first == nil {
			first = values
		}
		return true
	}
	for tries := 0; !try(); tries++ {
		if tries == 2*maxTries {
			c.t.Fatalf("%s was sent %d times", function, tries)
		}
		c.w.Clock.Advance(time.Second)
	}
	switch c.chance.IntN(6) {
	case 0: // the answer was lost
		for range 1 + c.chance.IntN(3) {
			try()
		}
	case 1: // again and again
		if c.chance.IntN(8) == 0 {
			for range maxTries - 1 {
				try()
			}
		}
	case 2: // a duplicate that was long on its way
		if function == "push" {
			c.sent = append(c.sent, func() { try() })
		}
	}
	return first
}

// one calls a function for one row, and reads its answer.
func one[T any](c *client, function string, args ...string) T {
	c.t.Helper()
	c.query++
	row := make([]jsontext.Value, len(args))
	for i, a := range args {
		row[i] = jsontext.Value(a)
	}
	var answer T
	if err := json.Unmarshal(c.call(function, [][]jsontext.Value{row})[0], &answer); err != nil {
		c.t.Fatal(err)
	}
	return answer
}

// edit changes, adds and removes nothing that would have to be deleted.
func (c *client) edit() {
	for range 1 + c.chance.IntN(20) {
		c.tick++
		c.model[fmt.Sprintf("c%03d", c.chance.IntN(40))] = pair{c.chance.IntN(1000), c.tick}
	}
}

// selected are the rows of a run, in the order of the map's keys, twins twice.
func (c *client) selected(since int) (rows [][]jsontext.Value) {
	add := func(key string) {
		if p, ok := c.model[key]; ok && p.u >= since {
			rows = append(rows, []jsontext.Value{nil, jsontext.Value(fmt.Sprintf(`{"id":%q,"name":"Customer %s","n":%d,"u":%d}`, key, key, p.n, p.u))})
		}
	}
	for i := range 40 {
		add(fmt.Sprintf("c%03d", i))
	}
	for _, key := range c.twins {
		add(key)
	}
	return rows
}

// run is penstock_run by hand: begin, push in batches of any size and order, finish.
func (c *client) run(mode string) runs.RunStatus {
	c.t.Helper()
	begun := one[struct {
		runs.Begun
		Watermark json.RawMessage `json:"watermark"`
	}](c, "begin", `"accounts"`, strconv.Quote(mode))
	if begun.Select == runs.Wait {
		c.t.Fatalf("begin is answered %s", begun.Reason)
	}
	since := 0
	if begun.Select == runs.Since {
		since, _ = strconv.Atoi(string(begun.Watermark))
	}
	c.query++
	rows := c.selected(since)
	for i := range rows {
		rows[i][0] = jsontext.Value(strconv.Quote(begun.Run))
	}
	c.chance.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	for rest := rows; len(rest) > 0; {
		n := min(len(rest), 1+c.chance.IntN(3)*c.chance.IntN(5)) // often a single row
		for _, v := range c.call("push", rest[:n]) {
			var a Answer
			if err := json.Unmarshal(v, &a); err != nil || a.Status != "queued" && a.Status != "superseded" {
				c.t.Fatalf("a row is answered %s (%v)", v, err)
			}
		}
		rest = rest[n:]
		c.mishap()
	}
	one[runs.RunStatus](c, "finish", strconv.Quote(begun.Run), strconv.Itoa(len(rows)))
	for range 3 {
		c.mishap()
	}
	c.w.Pass(c.t, 3*time.Minute)
	c.late()
	c.w.Pass(c.t, 3*time.Minute)
	return c.w.Run(c.t, begun.Run)
}

// mishap is what happens beside the requests: the workers work, and an old request
// comes once more.
func (c *client) mishap() {
	switch c.chance.IntN(4) {
	case 0:
		c.w.Drain(c.t, "salesforce")
	case 1:
		if len(c.sent) > 0 {
			c.sent[c.chance.IntN(len(c.sent))]()
		}
	}
}

// late lets every old request come once more, also of runs that have ended.
func (c *client) late() {
	for _, again := range c.sent {
		again()
	}
}

// A flaky queue fails before it takes messages, after it took some, or after all.
type flaky struct {
	intake.Queue
	chance *rand.Rand
}

var errQueue = errors.New("ServiceUnavailable: the queue")

func (f flaky) Send(ctx context.Context, queue string, msgs []envelope.Message) ([]bool, error) {
	switch f.chance.IntN(8) {
	case 0:
		return make([]bool, len(msgs)), errQueue
	case 1: // they arrived, and the answer was lost
		_, err := f.Queue.Send(ctx, queue, msgs)
		return make([]bool, len(msgs)), errors.Join(errQueue, err)
	}
	return f.Queue.Send(ctx, queue, msgs)
}

// Whatever a warehouse repeats, reorders, renames and cuts into single rows, the
// destination equals the model, every run is complete, and no row counts twice.
func TestWarehouses(t *testing.T) {
	seeds := 6
	if testing.Short() {
		seeds = 2
	}
	for name, open := range warehouses(t) {
		for seed := range seeds {
			t.Run(fmt.Sprintf("%s/%d", name, seed), func(t *testing.T) {
				w := faulty(t)
				chance := rand.New(rand.NewPCG(uint64(seed), 8))
				in := w.Functions["push"].(*push.Handler).Intake
				in.Queue = flaky{in.Queue, rand.New(rand.NewPCG(uint64(seed), 9))}
				c := &client{warehouse: open(w), t: t, w: w, chance: chance, model: map[string]pair{}, twins: []string{"c001", "c002", "c003"}}
				for round, mode := range []string{"incremental", "incremental", "full", "incremental"} {
					c.edit()
					got := c.run(mode)
					if got.Status != run.Complete || got.Counts.Failed+got.Counts.Rejected+got.Counts.Blocked+got.Counts.Cancelled != 0 {
						t.Fatalf("round %d, %s: the run is %s (%s), %+v", round, mode, got.Status, got.Reason, got.Counts)
					}
					if settled := got.Counts.Settled(); settled != got.Counts.Received {
						t.Errorf("round %d: %d received, %d settled", round, got.Counts.Received, settled)
					}
					want := map[string]string{}
					for key, p := range c.model {
						want[key] = strconv.Itoa(p.n)
					}
					if d := cmp.Diff(want, w.stored(t)); d != "" {
						t.Fatalf("round %d, %s: the model (-) and the destination (+): %s", round, mode, d)
					}
				}
			})
		}
	}
}

// A query's number comes back on a cluster that was restored: its rows are sent, whatever
// another query of that number pushed.
func TestAQuerysNumberComesBack(t *testing.T) {
	w := softDeletes(t, "Account", "matching_strategy: external_id\nmatch: {source: customer_id, destination: Customer_ID__c}", "Name")
	requests := 0
	push := func(query int64, name string) {
		requests++
		head := redshift.Head{Request: strconv.Itoa(requests), Cluster: "arn:c", User: "etl", Database: "dev", Function: "penstock_push", Query: query, Records: -1}
		for range 2 { // each comes twice
			w.Invoke(t, "redshift", redshift.EncodeRequest(nil, head, [][]jsontext.Value{{jsontext.Value(`"customers"`), jsontext.Value(customer("c1", name, false))}}))
		}
		w.Drain(t, "salesforce")
		w.Settle(t)
		if got := w.records("Account", "Name"); len(got) != 1 || got[0]["Name"] != name {
			t.Errorf("query %d pushed %s: %v", query, name, got)
		}
		w.Clock.Advance(10 * 24 * time.Hour)
	}
	push(7, "one")
	push(8, "two")
	push(7, "one")
}
