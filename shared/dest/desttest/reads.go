package desttest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// reads are what an account tells of the records that it holds.
var reads = map[string]func(*testing.T, *world){
	"reads records back":        readsBack,
	"asks before it reads":      readsWithin,
	"fails to read":             readsFailing,
	"tells what is gone":        readsGone,
	"asks before it counts":     countsWithin,
	"counts by a field of time": countsByTime,
}

var errSpent = errors.New("spent")

// only lets so many requests go, and counts those that were asked for.
func only(n int, asked *int) dest.Spend {
	return func(_ context.Context, c dest.Cost) error {
		if *asked += c.Tokens; *asked > n {
			return errSpent
		}
		return nil
	}
}

// reader pushes records, and answers who reads them back, by which ids.
func (w *world) reader(t *testing.T, n int) (r dest.Reader, b dest.Batch, ids, fields []string) {
	t.Helper()
	r, is := w.account.(dest.Reader)
	if !is {
		t.Skip("the vendor does not show records")
	}
	b = w.batch(n)
	for _, o := range w.push(t, b) {
		if o.ID == "" {
			t.Fatal("a record that can be read has no id")
		}
		ids = append(ids, o.ID)
	}
	for _, f := range b.Records[0].Fields {
		fields = append(fields, f.Name)
	}
	return r, b, ids, fields
}

// readsBack wants what is stored, in the order of the ids, for as many calls as are told.
func readsBack(t *testing.T, w *world) {
	r, b, ids, fields := w.reader(t, 3)
	ids[0], ids[2] = ids[2], ids[0]
	b.Records[0], b.Records[2] = b.Records[2], b.Records[0]
	def, asked, before := &w.Version.Definition, 0, w.account.APICalls()
	tells, err := r.Readable(t.Context(), def, fields, only(1_000, &asked))
	if err != nil || len(tells) != len(fields) {
		t.Fatalf("%+v, %v", tells, err)
	}
	kept, err := r.Read(t.Context(), def, fields, ids, only(1_000, &asked))
	if err != nil || len(kept) != len(ids) {
		t.Fatalf("%+v, %v", kept, err)
	}
	if made := w.account.APICalls() - before; made > int64(asked) || asked != r.ReadCalls(def, len(ids)) || r.ReadSize() < 1 {
		t.Errorf("%d requests, %d asked for, %d told", made, asked, r.ReadCalls(def, len(ids)))
	}
	for i := range kept {
		stored := w.Stored(b.Records[i])
		if kept[i].Gone || len(kept[i].Values) != len(fields) {
			t.Errorf("record %d: %+v", i, kept[i])
			continue
		}
		for n, name := range fields {
			if got := rawjson.Scalar(kept[i].Values[n]); tells[n].Why == "" && !same(got, stored[name]) {
				t.Errorf("record %d: %s is %s, want %q", i, name, kept[i].Values[n], stored[name])
			}
		}
	}
}

// same reports whether two texts are one value: a time may be written in several ways.
func same(a, b string) bool {
	if a == b {
		return true
	}
	at, err := time.Parse(time.RFC3339, a)
	return err == nil && (strings.HasPrefix(b, a[:19]) || fmt.Sprint(at.Unix()) == b)
}

// readsWithin wants no request that was not asked for.
func readsWithin(t *testing.T, w *world) {
	r, _, ids, fields := w.reader(t, 1)
	w.warm(t)
	before, asked := w.Core.Calls().Total, 0
	if _, err := r.Readable(t.Context(), &w.Version.Definition, fields, only(0, &asked)); !errors.Is(err, errSpent) {
		t.Errorf("readable: %v", err)
	}
	if _, err := r.Read(t.Context(), &w.Version.Definition, fields, ids, only(0, &asked)); !errors.Is(err, errSpent) {
		t.Errorf("read: %v", err)
	}
	if n := w.Core.Calls().Total - before; n != 0 {
		t.Errorf("%d requests were made", n)
	}
}

// readsFailing wants an outage to be no answer.
func readsFailing(t *testing.T, w *world) {
	r, _, ids, fields := w.reader(t, 2)
	for _, f := range []sandbox.Fault{{Status: 503, Body: "<html>", ContentType: "text/html"}, {Status: 200, Body: "{}"}, {Status: 200, Body: "[]"}} {
		w.Core.ClearFaults()
		w.always(t, f)
		asked := 0
		kept, err := r.Read(t.Context(), &w.Version.Definition, fields, ids, only(1_000, &asked))
		if call := failed(t, err); kept != nil || call.Class != dest.Unavailable {
			t.Errorf("%d %s: %+v, %+v", f.Status, f.Body, kept, call)
		}
	}
}

// readsGone wants a record that is not there any more to be told, and the others with it.
func readsGone(t *testing.T, w *world) {
	if w.Version.Definition.OnDelete == "" || w.clears() {
		t.Skip("the destination does not remove records by this version")
	}
	r, b, ids, fields := w.reader(t, 3)
	b.Records = b.Records[1:2]
	b.Records[0].ID = ids[1]
	w.push(t, w.removal(b))
	asked := 0
	kept, err := r.Read(t.Context(), &w.Version.Definition, fields, ids, only(1_000, &asked))
	if err != nil || len(kept) != 3 {
		t.Fatalf("%+v, %v", kept, err)
	}
	for i, want := range []bool{false, true, false} {
		if kept[i].Gone != want {
			t.Errorf("record %d: gone %v", i, kept[i].Gone)
		}
	}
	asked = 0
	if kept, err = r.Read(t.Context(), &w.Version.Definition, fields, ids[1:2], only(1_000, &asked)); err != nil || !kept[0].Gone {
		t.Errorf("alone: %+v, %v", kept, err)
	}
}

// prober is who counts records, of a definition whose field of time is that.
func (w *world) prober(t *testing.T, field string) (dest.Prober, *syncdef.Definition) {
	t.Helper()
	p, is := w.account.(dest.Prober)
	if !is {
		t.Skip("the vendor does not count records")
	}
	def := w.Version.Definition
	def.Freshness = &syncdef.Freshness{DestinationField: field}
	return p, &def
}

// noon is when records are counted.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// countsWithin wants no request that was not asked for, and no figures of an outage.
func countsWithin(t *testing.T, w *world) {
	p, def := w.prober(t, "no_such_field")
	w.warm(t)
	before, asked := w.Core.Calls().Total, 0
	if _, err := p.Freshness(t.Context(), def, noon, only(0, &asked)); !errors.Is(err, errSpent) {
		t.Errorf("%v, want the error of who was asked", err)
	}
	if n := w.Core.Calls().Total - before; n != 0 || asked == 0 {
		t.Errorf("%d requests were made, %d asked for", n, asked)
	}
	w = open(t, w.Subject) // which remembers nothing of what the vendor said
	p, _ = w.prober(t, "no_such_field")
	w.always(t, sandbox.Fault{Status: 503, Body: "<html>", ContentType: "text/html"})
	asked = 0
	_, err := p.Freshness(t.Context(), def, noon, only(1_000, &asked))
	if call := failed(t, err); call.Class != dest.Unavailable {
		t.Errorf("the vendor is out: %+v", call)
	}
}

// countsByTime wants a field that holds no time to be the version's failure, told to a
// person, in no more requests than were asked for.
func countsByTime(t *testing.T, w *world) {
	p, def := w.prober(t, "no_such_field")
	asked, before := 0, w.account.APICalls()
	_, err := p.Freshness(t.Context(), def, noon, only(1_000, &asked))
	if call := failed(t, err); call.Class != dest.Configuration || call.Scope != dest.ScopeVersion || !strings.Contains(call.Message, "no_such_field") {
		t.Errorf("%+v", call)
	}
	if made := w.account.APICalls() - before; made > int64(asked) {
		t.Errorf("%d requests, %d asked for", made, asked)
	}
}
