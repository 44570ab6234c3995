package apptest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/wire/gateway"
	"github.com/penstock-data/penstock/shared/wire/redshift"
	"github.com/penstock-data/penstock/shared/wire/snowflake"
)

// A Caller is a warehouse's side of a protocol over the whole road: it sends one batch of
// a SQL function, and reads the answers.
type Caller struct {
	Name string
	// Send sends rows of arguments, raw JSON, as batch of query. Tries of one batch have
	// different attempts, from 0 on: a caller that keeps its id for them ignores it. An
	// error is what fails the query, or asks for another try.
	Send func(ctx context.Context, w *World, function, query, batch string, attempt int, rows [][]string) ([]jsontext.Value, error)
}

// Callers are the protocols that the simulated warehouse speaks.
func Callers() []Caller {
	return []Caller{
		{"snowflake", sendSnowflake},
		{"redshift", func(ctx context.Context, w *World, function, query, batch string, _ int, rows [][]string) ([]jsontext.Value, error) {
			return sendRedshift(ctx, w, function, query, batch, rows)
		}},
		{"redshift, another request id at each try", func(ctx context.Context, w *World, function, query, batch string, attempt int, rows [][]string) ([]jsontext.Value, error) {
			return sendRedshift(ctx, w, function, query, fmt.Sprintf("%s/%d", batch, attempt), rows)
		}},
	}
}

func sendSnowflake(ctx context.Context, w *World, function, query, batch string, _ int, rows [][]string) ([]jsontext.Value, error) {
	h := w.Functions["control"]
	if function == "push" {
		h = w.Functions["push"]
	}
	raw, err := h.Invoke(ctx, Request(function, query, batch, rows...))
	if err != nil {
		return nil, err
	}
	r, err := gateway.DecodeResponse(raw)
	if err != nil {
		return nil, err
	}
	if r.Status != http.StatusOK {
		return nil, fmt.Errorf("status %d: %s", r.Status, r.Body)
	}
	return snowflake.DecodeReply(r.Body)
}

func sendRedshift(ctx context.Context, w *World, function, query, request string, rows [][]string) ([]jsontext.Value, error) {
	number := fnv.New32a()
	number.Write([]byte(query)) //nolint:errcheck,revive // it cannot fail
	args := make([][]jsontext.Value, len(rows))
	for i, r := range rows {
		for _, a := range r {
			args[i] = append(args[i], jsontext.Value(a))
		}
	}
	raw, err := w.Functions["redshift"].Invoke(ctx, redshift.EncodeRequest(nil, redshift.Head{
		Request: request, Cluster: "arn:aws:redshift:eu-west-1:123456789012:cluster:warehouse", User: "loader", Database: "dev",
		Function: "penstock.penstock_" + function, Query: int64(number.Sum32()) + 1, Records: -1,
	}, args))
	if err != nil {
		return nil, err
	}
	return redshift.DecodeReply(raw, len(rows))
}

// A Warehouse behaves as its documentation lets it: it cuts a statement's rows into
// batches of any size, sends them in any order and at once, and each as often as it
// likes, also after it was answered. What it does is decided by the seed.
type Warehouse struct {
	Caller

	World   *World
	Seed    uint64
	Rows    int // a batch has at most so many
	Repeats int // a batch is sent at most so many times
	queries int
}

// one calls a function for one row.
func (h *Warehouse) one(t testing.TB, function string, into any, args ...string) {
	t.Helper()
	h.queries++
	query := fmt.Sprintf("control-%d-%d", h.Seed, h.queries)
	var first jsontext.Value
	for attempt := range h.Repeats {
		values, err := h.Send(t.Context(), h.World, function, query, query+":1", attempt, [][]string{args})
		if err != nil || len(values) != 1 {
			t.Fatalf("%s: %d answers, %v", function, len(values), err)
		}
		if first == nil {
			first = values[0]
		}
		if function == "begin" && string(values[0]) != string(first) {
			t.Fatalf("a repeated begin is answered %s, the first %s", values[0], first)
		}
	}
	if err := json.Unmarshal(first, into); err != nil {
		t.Fatal(err)
	}
}

// Run is what penstock_run does with a model's rows, which are objects: begin, push,
// finish with the number of answers. It answers them in the rows' order.
func (h *Warehouse) Run(t testing.TB, sync, mode string, model []string) (runID string, answers []Answer) {
	t.Helper()
	var b runs.Begun
	h.one(t, "begin", &b, `"`+sync+`"`, `"`+mode+`"`)
	if b.Run == "" {
		t.Fatalf("nothing was begun: %+v", b)
	}
	answers = h.push(t, b.Run, model)
	var r runs.RunStatus
	h.one(t, "finish", &r, `"`+b.Run+`"`, fmt.Sprint(len(answers)))
	return b.Run, answers
}

// batch is rows first to last of a model.
type batch struct{ first, last int }

func (h *Warehouse) push(t testing.TB, target string, model []string) []Answer {
	t.Helper()
	h.queries++
	random := rand.New(rand.NewPCG(h.Seed, uint64(h.queries))) //nolint:gosec // a test's
	query := fmt.Sprintf("push-%d-%d", h.Seed, h.queries)
	var sent []batch
	for at := 0; at < len(model); {
		n := min(1+random.IntN(h.Rows), len(model)-at)
		for range 1 + random.IntN(h.Repeats) {
			sent = append(sent, batch{at, at + n})
		}
		at += n
	}
	random.Shuffle(len(sent), func(i, j int) { sent[i], sent[j] = sent[j], sent[i] })
	answers := make([]Answer, len(model))
	var mu sync.Mutex
	attempts := map[batch]int{}
	var g errgroup.Group
	g.SetLimit(4)
	for _, b := range sent {
		g.Go(func() error {
			mu.Lock()
			attempt := attempts[b]
			attempts[b]++
			mu.Unlock()
			rows := make([][]string, 0, b.last-b.first)
			for _, object := range model[b.first:b.last] {
				rows = append(rows, []string{`"` + target + `"`, object})
			}
			values, err := h.Send(t.Context(), h.World, "push", query, fmt.Sprintf("%s:%d", query, b.first), attempt, rows)
			if err != nil || len(values) != len(rows) {
				return errors.Join(err, fmt.Errorf("%d answers for %d rows", len(values), len(rows)))
			}
			mu.Lock()
			defer mu.Unlock()
			for i, v := range values {
				var a Answer
				if err := json.Unmarshal(v, &a); err != nil {
					return err
				}
				if had := answers[b.first+i]; had != (Answer{}) && had != a {
					return fmt.Errorf("row %d is answered %+v, and before %+v", b.first+i, a, had)
				}
				answers[b.first+i] = a
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	return answers
}

// RunWarehouse lets a caller push a model that is edited, three times, and compares the
// destination with it. Every protocol passes.
func RunWarehouse(t *testing.T, c Caller) {
	for _, h := range []Warehouse{
		{Rows: 100, Repeats: 1}, {Rows: 1, Repeats: 3}, {Rows: 7, Repeats: 3, Seed: 1}, {Rows: 3, Repeats: 20, Seed: 2},
	} {
		t.Run(fmt.Sprintf("%d rows, %d times", h.Rows, h.Repeats), func(t *testing.T) {
			h.Caller, h.World = c, New(t)
			sites := make([]string, 40)
			for i := range sites {
				sites[i] = fmt.Sprintf("customer%02d.example", i)
			}
			h.World.Vendors.SeedAccounts(t, sites...)
			want, scores := map[string]string{}, map[string]float64{}
			for version := range 3 {
				var model []string
				for i, site := range sites {
					if (i+version)%3 == 0 || version == 0 { // the others stay as they are
						scores[site] = float64(10*version + i%10)
						want[site] = fmt.Sprint(scores[site])
					}
					model = append(model, Health("", "jo@"+site, scores[site])[1])
				}
				model = append(model, model[0], model[0], Health("", "no address", 1)[1]) // equal rows, and one that is rejected
				h.World.Clock.Advance(time.Minute)
				id, answers := h.Run(t, "salesforce_customer_health", "full", model)
				if a := answers[len(answers)-1]; a.Status != "rejected" {
					t.Errorf("no address: %+v", a)
				}
				h.World.Drain(t, "salesforce")
				h.World.Settle(t)
				if d := cmp.Diff(want, h.World.Vendors.Accounts("Health_Score__c")); d != "" {
					t.Fatalf("run %d: %s", version, d)
				}
				r := h.World.Run(t, id)
				if got := r.Counts.Received; r.Status != run.Complete || got > int64(len(model)) || got < int64(len(sites))+1 || r.Reason != "" {
					t.Errorf("run %d is %s (%s) with %d rows received of %d: %+v", version, r.Status, r.Reason, got, len(model), r.Counts)
				}
				if n := len(h.World.Errors(t, id)); n != 1 {
					t.Errorf("run %d: %d errors, want 1", version, n)
				}
			}
		})
	}
}
