package vendors_test

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/vendors"
	"github.com/penstock-data/penstock/shared/mapping"
	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// BenchmarkDestinations is a line per destination type, over the first sync that
// penstock init would write for it: records that changed, pushed in calls as full as
// the vendor takes them, to a vendor that answers at once (its simulator in this
// process, whose own time is taken off). rows/s is what one worker could send;
// infra/ratios holds calls/1000rows against the vendor's cap.
func BenchmarkDestinations(b *testing.B) {
	for _, d := range vendors.All {
		b.Run(d.Vendor.Name, func(b *testing.B) {
			if d.Vendor.Example.Target == nil {
				b.Fatal("it has no example of a first sync, which penstock init needs too")
			}
			w := newBench(b, d)
			w.sim.Core().ResetCalls()
			before := w.account.APICalls()
			b.ReportAllocs()
			for b.Loop() {
				w.push(b)
			}
			rows := float64(b.N * len(w.batch.Records))
			own := b.Elapsed().Seconds() - w.sim.Core().Calls().Seconds
			b.ReportMetric(rows/own, "rows/s")
			b.ReportMetric(float64(w.account.APICalls()-before)/rows*1000, "calls/1000rows")
		})
	}
}

// benched is how many records a round pushes: a full batch of the greatest vendor's.
const benched = 2000

// few is how many are in size at once where nothing is ever updated: of many messages a
// destination may make one.
const few = 20

// A bench is a destination over its simulator.
type bench struct {
	now     time.Time
	sim     sandbox.Simulated
	account dest.Account
	dest    dest.Destination
	batch   dest.Batch
	inserts bool // nothing is ever updated
	round   int
}

// newBench opens it, and pushes its records once, so that they are known by their ids.
func newBench(b *testing.B, d vendors.Destination) *bench {
	w := &bench{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), batch: dest.Batch{Run: "bench:1"}}
	clock := func() time.Time { return w.now }
	var err error
	if w.sim, err = d.Simulator.Open(sandbox.Settings{Accept: true, Now: clock}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { w.sim.Close() }) //nolint:errcheck // memory only
	version := firstSync(b, d.Vendor)
	w.inserts = version.Definition.Operation == syncdef.Insert
	w.account, err = d.Vendor.Open(dest.Config{
		Connection: syncdef.Connection{Name: "bench", Type: d.Vendor.Name, URL: "http://127.0.0.1"}, Loopback: true, Now: clock,
		HTTP:   &http.Client{Transport: within{w.sim}},
		Secret: func(context.Context) (map[string]string, error) { return d.Simulator.Secret, nil },
	})
	if err != nil {
		b.Fatal(err)
	}
	if w.dest, err = w.account.Open(version); err != nil {
		b.Fatal(err)
	}
	w.batch.Records = records(b, d.Vendor, version)
	w.push(b)
	return w
}

// push makes the calls of all records. A second passes before each, so that no limit of
// the vendor's is met.
func (w *bench) push(b *testing.B) {
	if w.round++; w.inserts { // what was inserted is not sent again
		for i := range w.batch.Records {
			name := strconv.Itoa(w.round*benched + i)
			w.batch.Records[i].Key, w.batch.Records[i].RecordID = name, name
		}
	}
	size := benched
	if w.inserts {
		size = few
	}
	for records := range slices.Chunk(w.batch.Records, size) {
		batch := w.batch
		batch.Records = records
		for _, c := range w.dest.Calls(batch, 0) {
			w.call(b, batch, c)
		}
	}
}

// call makes one call, which delivers all its records.
func (w *bench) call(b *testing.B, batch dest.Batch, c dest.Call) {
	w.now = w.now.Add(time.Second)
	out, err := w.dest.Push(b.Context(), batch, c)
	if err != nil {
		b.Fatal(err)
	}
	for i, o := range out {
		if o.Status != dest.Delivered {
			b.Fatalf("record %d: %+v", c.Records[i], o)
		}
		if r := &batch.Records[c.Records[i]]; !w.inserts {
			r.ID = cmp.Or(o.ID, r.ID)
		}
	}
}

// firstSync is the sync that penstock init writes.
func firstSync(b *testing.B, v dest.Vendor) syncdef.Version {
	e := v.Example
	text := "sync: bench\n" + strings.Join(e.Target(e.Object, e.Rows[0][0], columns(e)), "\n") + "\nfield_mappings:\n"
	for _, f := range e.Fields(e.Rows[0][0], columns(e)) {
		text += fmt.Sprintf("  - {source: %q, destination: %q, data_type: %s}\n", f.Source, f.Destination, f.Type)
	}
	settings := "connections:\n  bench:\n    type: " + v.Name + "\n"
	for _, line := range e.Connection {
		settings += "    " + line + "\n"
	}
	conns, err := yamlfile.ParseConnections("connections.yaml", []byte(settings), kinds)
	if err != nil {
		b.Fatal(err)
	}
	def, _, err := yamlfile.Parse("bench.yaml", []byte(text), conns, kinds)
	if err != nil {
		b.Fatalf("%v in\n%s", err, text)
	}
	return syncdef.NewVersion(def, v.RulesOf(&def, &conns[0]), time.Time{})
}

// columns are the example's, with the types that their first values have.
func columns(e syncdef.Example) []syncdef.Column {
	out := make([]syncdef.Column, len(e.Rows[0]))
	for i, name := range e.Rows[0] {
		out[i] = syncdef.Column{Name: name, Type: syncdef.String}
		if _, err := strconv.ParseFloat(e.Rows[1][i], 64); err == nil {
			out[i].Type = syncdef.Number
		} else if _, err := time.Parse(time.RFC3339, e.Rows[1][i]); err == nil {
			out[i].Type = syncdef.DateTime
		}
	}
	return out
}

// records are the example's rows, again and again, each with a key and an address of
// its own.
func records(b *testing.B, v dest.Vendor, version syncdef.Version) []dest.Record {
	program, err := mapping.Compile(&version.Definition, version.Rules)
	if err != nil {
		b.Fatal(err)
	}
	m := program.Mapper()
	out := make([]dest.Record, benched)
	for n := range out {
		object := []byte{'{'}
		for i, name := range v.Example.Rows[0] {
			value := v.Example.Rows[1+n%(len(v.Example.Rows)-1)][i]
			if i == 0 || strings.Contains(value, "@") {
				value = fmt.Sprintf("r%d.%s", n, value)
			}
			if i > 0 {
				object = append(object, ',')
			}
			object = fmt.Appendf(object, "%q:%q", name, value)
		}
		mapped, fault := m.Map(jsontext.Value(append(object, '}')))
		if fault != nil {
			b.Fatal(fault)
		}
		out[n] = recordOf(&version.Definition, mapped)
	}
	return out
}

// within answers a request in this process.
type within struct{ server http.Handler }

// RoundTrip implements http.RoundTripper.
func (t within) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	t.server.ServeHTTP(w, r)
	return w.Result(), nil
}

// recordOf is a mapped row as a destination gets it.
func recordOf(d *syncdef.Definition, m mapping.Mapped) dest.Record {
	r := dest.Record{Key: string(m.Key), Match: string(m.Match), RecordID: string(m.RecordID)}
	for i, v := range m.Values {
		if v != nil {
			r.Fields = append(r.Fields, dest.Field{Name: d.Fields[i].Destination, Value: v.Clone()})
		}
	}
	return r
}
