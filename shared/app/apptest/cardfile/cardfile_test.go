package cardfile_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/app/apptest"
	"github.com/penstock-data/penstock/shared/app/apptest/cardfile"
	"github.com/penstock-data/penstock/shared/app/apptest/cardfile/sim"
	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/desttest"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// known is the one list of vendors of this program.
var known = []dest.Vendor{cardfile.Vendor}

func server(t *testing.T) *sim.Server {
	t.Helper()
	s, err := sim.New(sandbox.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func set(t *testing.T) yamlfile.Set {
	t.Helper()
	set, err := yamlfile.Load("testdata/syncs", dest.Kinds(known))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestSuite(t *testing.T) {
	desttest.Run(t, func(t *testing.T) desttest.Subject {
		s := server(t)
		web := httptest.NewServer(s)
		t.Cleanup(web.Close)
		one := set(t).Syncs[0]
		conn := one.Connection
		conn.URL = web.URL
		return desttest.Subject{
			Vendor: cardfile.Vendor, Core: s.Core(), Version: syncdef.NewVersion(one.Definition, one.Rules, time.Time{}),
			Config: dest.Config{Connection: conn, Loopback: true, Secret: func(context.Context) (map[string]string, error) { return sim.Sandbox.Secret, nil }},
			Record: func(i int) dest.Record {
				return dest.Record{Key: fmt.Sprintf("card-%d", i), RecordID: fmt.Sprint(i), Fields: []dest.Field{{Name: "name", Value: jsontext.Value(fmt.Sprintf(`"Customer %d"`, i))}}}
			},
			Stored: func(r dest.Record) map[string]string {
				if c := s.Card(r.Key); c != nil {
					return c.Fields
				}
				return nil
			},
			Count: s.Count, Creates: true, Identity: "acct_7", Text: "name", Number: "score",
			Bad: func(r dest.Record) dest.Record {
				r.Fields = append([]dest.Field{{Name: "colour", Value: jsontext.Value("4711")}}, r.Fields...)
				return r
			},
			BadCode: "bad_colour", Busy: sandbox.Fault{Match: "cards", Code: "locked"}, Write: "/cards",
			Throttle:   sandbox.Fault{Status: http.StatusTooManyRequests, Headers: map[string]string{"Retry-After": "7"}, Body: `{"error":"slow down"}`},
			Quota:      dest.QuotaSecond,
			Refusal:    sandbox.Fault{Status: http.StatusUnauthorized, Body: `{"error":"no such token"}`},
			Long:       `{"results":[{"ok":true,"id":"1"},{"ok":true,"id":"2"},{"ok":true,"id":"3"}]}`,
			Idempotent: true, Clears: true,
		}
	})
}

// validate knows the vendor's keys, and reports what is wrong by its own rules.
func TestValidate(t *testing.T) {
	one := set(t).Syncs[0]
	if string(one.Definition.Options) != `{"drawer":"customers"}` || one.Definition.Match.Destination != "key" || one.Rules.Type != "cardfile" {
		t.Errorf("read %+v, rules %+v", one.Definition, one.Rules)
	}
	src := "sync: a\nconnection: cards\nmatching_strategy: external_id\nmatch: {source: id, destination: Id}\nrecord_id: id\n" +
		"field_mappings: [{source: a, destination: key}]\ncardfile: {drawer: TOP, shelf: 3}\n"
	_, _, err := yamlfile.Parse("a.yaml", []byte(src), set(t).Connections, dest.Kinds(known))
	var faults syncdef.Faults
	if !errors.As(err, &faults) {
		t.Fatalf("%v", err)
	}
	for _, want := range []string{"write key", "the key is written by match", "drawer", "shelf"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no fault says %q:\n%v", want, err)
		}
	}
	for _, other := range []string{"salesforce", "slack"} { // another program's
		if _, err := yamlfile.ParseConnections("connections.yaml", []byte("connections: {x: {type: "+other+"}}\n"), dest.Kinds(known)); err == nil || !strings.Contains(err.Error(), "cardfile") {
			t.Errorf("type %s: %v", other, err)
		}
	}
}

// customer is a row of the sync.
func customer(id, name, score string) []string {
	return []string{`"customer_cards"`, fmt.Sprintf(`{"ID":%q,"NAME":%q,"SCORE":%s,"UPDATED_AT":"2024-01-15 10:00:00"}`, id, name, score)}
}

// Over the whole road: rows are judged, delivered by the vendor's rule of identity,
// fail alone, come back by themselves, and are counted.
func TestRoad(t *testing.T) {
	clock, s := apptest.NewClock(), server(t)
	w := apptest.NewOf(t, clock, []apptest.Service{{Vendor: cardfile.Vendor, Server: s, Secret: sim.Sandbox.Secret}}, set(t))
	if err := s.Core().AddFault(sandbox.Fault{FailRecords: []string{"c3"}, Count: 3, Code: "locked"}); err != nil {
		t.Fatal(err)
	}
	answers := w.Push(t, "q", "q:1",
		customer("C1", "first", "1"), customer(" c1 ", "second", "2"), // one card
		customer("c2", strings.Repeat("x", 1001), "3"), customer("c3", "third", "4"), customer("c4", "fourth", "101"))
	var statuses []string
	for _, a := range answers {
		statuses = append(statuses, a.Status)
	}
	if !slices.Equal(statuses, []string{"superseded", "queued", "queued", "queued", "rejected"}) {
		t.Fatalf("answered %q", statuses)
	}
	id := answers[0].Run
	w.Drain(t, "cardfile")
	if c := s.Card("C1"); c == nil || c.Fields["name"] != "second" || c.Fields["score"] != "2" || s.Count() != 1 {
		t.Errorf("card %+v of %d", c, s.Count())
	}
	w.Pass(t, 10*time.Minute)
	if c := s.Card("c3"); c == nil || c.Fields["name"] != "third" {
		t.Errorf("the card that was locked did not come back: %+v", c)
	}
	r := w.Run(t, id)
	if r.Status != run.Complete || r.Outcome != run.Partial || r.Counts.Delivered != 1 || r.Counts.Failed != 2 || r.Counts.Rejected != 1 || r.Retried != 1 {
		t.Errorf("%s %s %+v, retried %d", r.Status, r.Outcome, r.Counts, r.Retried)
	}
	if again := w.Push(t, "q2", "q2:1", customer("c1", "second", "2.0"))[0]; again.Status != "queued" {
		t.Errorf("answered %+v", again)
	} else if w.Drain(t, "cardfile"); w.Run(t, again.Run).Counts.Unchanged != 1 {
		t.Errorf("the same values again: %+v", w.Run(t, again.Run).Counts)
	}
}

// One machine with this list of vendors, called over its gateway.
func TestOneMachine(t *testing.T) {
	s := server(t)
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	dir, lines := t.TempDir(), apptest.NewLog()
	m, err := machine.New(machine.Config{
		Dir: dir, Vendors: known, Endpoints: map[string]string{"cardfile": web.URL},
		Secret: func(context.Context, string, string) (map[string]string, error) { return sim.Sandbox.Secret, nil },
		Log:    slog.New(slog.NewTextHandler(lines, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	one := set(t).Syncs[0]
	if _, err := m.Runs.Apply(t.Context(), syncdef.NewVersion(one.Definition, one.Rules, time.Now()), one.Connection); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	id := apptest.PostRows(t, m.URL, customer("c1", "qz1xv", "1"), customer("c2", "qz2xv", "2"))
	for delivered := int64(0); delivered < 2; {
		<-lines.Told // something was done
		got, err := m.Runs.Status(t.Context(), id)
		if err != nil || len(got.Runs) != 1 {
			t.Fatalf("%+v, %v", got, err)
		}
		delivered = got.Runs[0].Counts.Delivered
	}
	if s.Count() != 2 || s.Card("c2").Fields["name"] != "qz2xv" {
		t.Errorf("%d cards", s.Count())
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	keptInTheState(t, dir, lines.String())
}

// keptInTheState wants no row value in the log and in no file but the state (I6).
func keptInTheState(t *testing.T, dir, log string) {
	t.Helper()
	texts := map[string]string{"the log": log}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "penstock.db") {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		texts[e.Name()] = string(b)
	}
	if len(texts) < 2 || log == "" {
		t.Errorf("nothing to look at: %d texts", len(texts))
	}
	for name, text := range texts {
		if strings.Contains(text, "qz1xv") || strings.Contains(text, "qz2xv") {
			t.Errorf("%s holds a row's value", name)
		}
	}
}
