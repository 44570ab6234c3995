//go:build cgo

package sql_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/app/apptest"
	"github.com/penstock-data/penstock/shared/run"
)

// selecting is a road with one sync, accounts, of the model health, and the views that its
// incremental makes.
func selecting(t *testing.T, incremental, columns string, extra ...string) *road {
	t.Helper()
	r := newRoad(t, map[string]string{"accounts": definition("model: health\nincremental: " + incremental + "\n" + strings.Join(extra, ""))})
	r.exec("CREATE TABLE health (email VARCHAR, score DECIMAL(5, 2), " + columns + ")")
	r.views()
	r.world.Clock.Advance(time.Since(apptest.Start)) // DuckDB's own clock cannot be set, and its tables hold the last 30 days
	return r
}

// views makes the views of every definition.
func (r *road) views() {
	r.Helper()
	for _, y := range r.set.Syncs {
		if err := r.w.SetViews(r.Context(), &y.Definition); err != nil {
			r.Fatal(err)
		}
	}
}

// ran runs the sync, delivers everything, and tells its answer, the rows that were
// pushed, in order, and how many of them were sent.
func (r *road) ran(mode string) string {
	r.Helper()
	answer, err := r.call("penstock_run('accounts', '" + mode + "')")
	if err != nil {
		r.Fatal(err)
	}
	r.settle()
	last := r.last("accounts")
	if last.Status != run.Complete {
		r.Fatalf("%s: the run is %s: %s", answer, last.Status, last.Reason)
	}
	pushed := read(r.T, r.w.DB(), "SELECT string_agg(answer->>'record_id', ' ' ORDER BY rowid) FROM penstock_receipts WHERE run = '"+last.ID+"'")
	return fmt.Sprintf("%s: %s; %d sent", strings.Fields(answer)[3], strings.ReplaceAll(pushed[0], "NULL", "-"), last.Counts.Delivered)
}

// same compares what runs told.
func (r *road) same(got, want string) {
	r.Helper()
	if d := cmp.Diff(want, got); d != "" {
		r.Error(d)
	}
}

// Rows that were committed late, within the overlap, are found, and those that are there
// already cost no call.
func TestOverlap(t *testing.T) {
	for _, c := range []struct{ name, kind, overlap, old, late, mark string }{
		{"timestamp", "TIMESTAMP", "10m", "'2024-01-15 09:49:59'", "'2024-01-15 09:50:00'", "'2024-01-15 10:00:00'"},
		{"timestamp with a zone", "TIMESTAMPTZ", "10m", "'2024-01-15 10:49:59+01'", "'2024-01-15 10:50:00+01'", "'2024-01-15 10:00:00+00'"},
		{"number", "BIGINT", "5", "4", "5", "10"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := selecting(t, "{cursor: moved, overlap: "+c.overlap+"}", "moved "+c.kind)
			r.exec("INSERT INTO health VALUES ('x@a.com', 1, " + c.mark + ")")
			r.same(r.ran("incremental"), "all: x@a.com; 1 sent")
			r.exec(fmt.Sprintf("INSERT INTO health VALUES ('x@b.com', 2, %s), ('x@c.com', 3, %s)", c.old, c.late))
			r.same(r.ran("incremental"), "since: x@a.com x@c.com; 1 sent")
			// The mark itself does not go back with the overlap.
			r.exec("DELETE FROM health")
			r.same(r.ran("incremental"), "since: -; 0 sent")
			s, err := r.world.Control.Status(t.Context(), "accounts")
			if err != nil || !strings.Contains(s.Watermark, strings.Fields(strings.Trim(c.mark, "'"))[0]) {
				t.Errorf("the watermark is %s (%v)", s.Watermark, err)
			}
		})
	}
}

// An overlap that does not fit the column is told, and nothing is begun.
func TestOverlapThatDoesNotFit(t *testing.T) {
	for _, c := range []struct{ kind, overlap, mark, told string }{
		{"BIGINT", "10m", "10", "holds numbers"}, {"TIMESTAMP", "10", "'2024-01-15 10:00:00'", "holds times"}, {"VARCHAR", "10m", "'a7'", "holds texts"},
	} {
		r := selecting(t, "{cursor: moved, overlap: "+c.overlap+"}", "moved "+c.kind)
		r.exec("INSERT INTO health VALUES ('x@a.com', 1, " + c.mark + ")")
		r.ran("incremental")
		before := r.last("accounts").ID
		got, err := r.call("penstock_run('accounts')")
		if err == nil || !strings.Contains(err.Error(), c.told) || !strings.Contains(err.Error(), "incremental.overlap") || r.last("accounts").ID != before {
			t.Errorf("%s: %q %v", c.kind, got, err)
		}
	}
}

// A new row is found by when it was made, though its cursor is old; and where it fails it
// is held, and found again, though no cursor tells of it.
func TestCreated(t *testing.T) {
	r := selecting(t, "{cursor: moved, created: made}", "moved TIMESTAMP, made TIMESTAMP")
	r.exec("INSERT INTO health VALUES ('x@a.com', 1, '2024-01-15 10:00:00', '2023-01-01'), ('x@b.com', 1, NULL, NULL)")
	r.same(r.ran("incremental"), "all: x@a.com x@b.com; 2 sent")
	r.exec("INSERT INTO health VALUES ('x@c.com', 2, '2020-05-05', '2024-01-15 10:00:01'), ('x@d.com', 2, '2020-05-05', '2024-01-15 09:00:00'), ('x@nowhere.com', 2, '2021-05-05', '2024-01-15 10:00:02')")
	r.same(r.ran("incremental"), "since: x@a.com x@b.com x@c.com x@nowhere.com; 1 sent")
	// The failed row holds the mark at its own cursor.
	r.world.Vendors.SeedAccounts(t, "https://nowhere.com")
	r.same(r.ran("incremental"), "since: x@a.com x@b.com x@c.com x@d.com x@nowhere.com; 2 sent")
	r.same(r.ran("incremental"), "since: x@a.com x@b.com x@c.com x@nowhere.com; 0 sent")
}

// A date says no more of when a row was made than the day: it is compared with the
// watermark's.
func TestCreatedOnADay(t *testing.T) {
	for _, kind := range []string{"TIMESTAMPTZ", "TIMESTAMP"} {
		r := selecting(t, "{cursor: moved, created: made}", "moved "+kind+", made DATE")
		r.exec("INSERT INTO health VALUES ('x@a.com', 1, '2024-05-03 10:00:00', '2024-05-01')")
		r.same(r.ran("incremental"), "all: x@a.com; 1 sent")
		r.exec("INSERT INTO health VALUES ('x@b.com', 2, '2020-01-01', '2024-05-03'), ('x@c.com', 2, '2020-01-01', '2024-05-02')")
		r.same(r.ran("incremental"), "since: x@a.com x@b.com; 1 sent")
	}
}

// A watermark finds the rows above it however the rows spell their times, and a value
// that is no time stops nothing.
func TestSpellings(t *testing.T) {
	for _, c := range [][2]string{
		{"2024-05-01 10:00:00.000 +0000", "2024-05-02 10:00:00.000 +0000"},
		{"Wed, 01 May 2024 10:00:00 GMT", "Thu, 02 May 2024 10:00:00 GMT"},
		{"2024-05-01 10:00:00,5", "2024-05-02 10:00:00,5"},
		{"2024-05-01t10:00:00z", "2024-05-02t10:00:00z"},
	} {
		r := selecting(t, "{cursor: moved}", "moved VARCHAR")
		r.exec("INSERT INTO health VALUES ('x@a.com', 1, '" + c[0] + "'), ('x@b.com', 2, '2000-01-01'), ('x@c.com', 3, 'n/a')")
		r.ran("incremental")
		r.exec("INSERT INTO health VALUES ('x@d.com', 4, '" + c[1] + "')")
		if got := r.ran("incremental"); !strings.HasPrefix(got, "since: ") || !strings.HasSuffix(got, "x@c.com x@d.com; 1 sent") || strings.Contains(got, "x@b.com") {
			t.Errorf("%s: %s", c[0], got)
		}
	}
}

// Rows of a condition are sent again once a period, though nothing changed, all fields of
// them, and the period goes by complete runs.
func TestAlways(t *testing.T) {
	r := selecting(t, `{cursor: moved, always: "mrr > 10000 AND tier <> 'x' every 24h"}`, "moved TIMESTAMP, mrr INTEGER, tier VARCHAR")
	r.exec("INSERT INTO health VALUES ('x@a.com', 1, '2024-01-15 10:00:00', 20000, 'a'), ('x@b.com', 1, '2024-01-15 10:00:00', 5, 'a'), ('x@c.com', 1, '2024-01-15 09:00:00', 20000, 'x'), ('x@d.com', 1, '2024-01-15 09:00:00', 20000, 'a')")
	r.same(r.ran("incremental"), "all: x@a.com x@b.com x@c.com x@d.com; 4 sent")
	r.same(r.ran("incremental"), "since: x@a.com x@b.com; 0 sent")
	r.world.Clock.Advance(23 * time.Hour)
	r.same(r.ran("incremental"), "since: x@a.com x@b.com; 0 sent")
	r.world.Clock.Advance(time.Hour)
	// A run that does not complete leaves the period as it is.
	r.refuse["/push"] = 1
	if _, err := r.call("penstock_run('accounts')"); err == nil {
		t.Fatal("no error")
	}
	clear(r.refuse)
	r.same(r.ran("incremental"), "since: x@a.com x@b.com x@d.com; 2 sent")
	r.same(r.ran("incremental"), "since: x@a.com x@b.com; 0 sent")
	r.same(r.ran("full"), "all: x@a.com x@b.com x@c.com x@d.com; 4 sent")
	r.world.Clock.Advance(23 * time.Hour) // the full run sent them too
	r.same(r.ran("incremental"), "since: x@a.com x@b.com; 0 sent")
	r.world.Clock.Advance(2 * time.Hour)
	r.same(r.ran("incremental"), "since: x@a.com x@b.com x@d.com; 2 sent")
}

// The rows come in the order that the definition asks for, however many they are.
func TestOrderBy(t *testing.T) {
	r := selecting(t, "{cursor: moved, order_by: [\"CASE risk WHEN 'high' THEN 1 ELSE 2 END\", mrr desc]}", "moved TIMESTAMP, mrr INTEGER, risk VARCHAR")
	r.exec("INSERT INTO health SELECT 'x' || n || '@a.com', 1, '2024-01-15 10:00:00', hash(n) % 100000, CASE WHEN n % 3 = 0 THEN 'high' ELSE 'low' END FROM range(30000) t(n)")
	var mu sync.Mutex
	var arrived []string
	r.arrived = func(body []byte) {
		if bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
			z, err := gzip.NewReader(bytes.NewReader(body))
			if err == nil {
				body, err = io.ReadAll(z)
			}
			if err != nil {
				t.Error(err)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		for _, m := range regexp.MustCompile(`"email":"([^"]*)"`).FindAllSubmatch(body, -1) {
			arrived = append(arrived, string(m[1]))
		}
	}
	want := read(t, r.w.DB(), "SELECT email FROM health ORDER BY CASE risk WHEN 'high' THEN 1 ELSE 2 END, mrr DESC, email")
	rank := map[string]int{}
	for n, email := range want {
		rank[email] = n
	}
	for _, selected := range []string{"all", "since"} {
		arrived = nil
		if got := r.ran("incremental"); !strings.HasPrefix(got, selected) {
			t.Fatalf("%.100s", got)
		}
		worst := 0
		for n, email := range arrived {
			worst = max(worst, n-rank[email], rank[email]-n)
		}
		if len(arrived) != len(want) || worst > inFlight {
			t.Errorf("%s: %d rows; one is %d places away from its own", selected, len(arrived), worst)
		}
	}
}

// inFlight is how many rows may pass each other on their way to the gateway: two chunks
// of DuckDB.
const inFlight = 2 * 2048

// A model may have a column by any name that a person thinks of: what is pushed is the
// row. Only names of Penstock's own are refused, with what to do.
func TestColumnsOfAnyName(t *testing.T) {
	columns := "m VARCHAR, t VARCHAR, s VARCHAR, r VARCHAR, p VARCHAR, k VARCHAR, sync VARCHAR, run VARCHAR, hash VARCHAR, version VARCHAR, answer VARCHAR, \"select\" VARCHAR, \"a b.\"\"c\" VARCHAR, moment TIMESTAMP DEFAULT '2026-11-01 10:00'"
	insert := "INSERT INTO health (email, score, m, r) VALUES ('x@a.com', 1, 'm', '{}')"
	for incremental, want := range map[string]string{
		"{cursor: moment}":                           "since: x@a.com; 0 sent",
		"{cursor: moment, always: m = 'm' every 1h}": "since: x@a.com; 0 sent",
		"{changed_only: true}":                       "changed: -; 0 sent",
	} {
		r := selecting(t, incremental, columns)
		r.exec(insert)
		r.same(r.ran("incremental"), "all: x@a.com; 1 sent")
		r.same(r.ran("incremental"), want)
		if answer, err := r.call("penstock_run('accounts', 'dry_run')"); err != nil || strings.Fields(answer)[6] != "0" {
			t.Errorf("%s: %s %v", incremental, answer, err)
		}
	}
	r := selecting(t, "{changed_only: true}", "x VARCHAR")
	d := r.set.Syncs[0].Definition
	d.Model = "health_too"
	for _, name := range []string{"penstock_always", "PENSTOCK_HASH", "penstock_row"} {
		r.exec("CREATE OR REPLACE VIEW health_too AS SELECT email, score, x AS " + name + " FROM health")
		err := r.w.SetViews(t.Context(), &d)
		if err == nil || !strings.HasPrefix(err.Error(), "model health_too: the model has a column "+name+", ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
