package console

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/app/view"
)

// anError is an error of a run of contacts, so many minutes before noon.
func anError(id, record, key, kind string, before int) view.Error {
	return view.Error{Ref: "contacts." + id + "#b#" + record[:1], Sync: "contacts", Run: "contacts." + id, RecordID: record, Key: key, Stage: "deliver", Type: kind, Attempts: 1, OccurredAt: noon.Add(-time.Duration(before) * time.Minute), Rows: 1}
}

// A retry from a page that is narrowed to a record sends errors of that record alone, as far
// as they are open.
func TestRetryOfARecord(t *testing.T) {
	rejected := anError("r4", "7", "ann@acme.com", "too_long", 1)
	rejected.Stage = "intake"
	settled := anError("r2", "7", "ann@acme.com", "BUSY", 3)
	settled.Settled = true
	mine := []view.Error{
		rejected, anError("r3", "7", "ann@acme.com", "BUSY", 2), settled, anError("r1", "7", "old@acme.com", "BUSY", 9),
		anError("r0", "7", "unsure@acme.com", "unknown", 9),
	}
	all := append([]view.Error{anError("r3", "9", "eve@acme.com", "BUSY", 2), anError("r3", "8", "ann@acme.com", "BUSY", 2)}, mine...)
	odd := anError("r3", "7\r\n", "k", "BUSY", 2)
	for name, c := range map[string]struct {
		q    url.Values
		errs []view.Error
		says []string
		did  []string
	}{
		"of a sync": {url.Values{"sync": {"contacts"}, "record": {"7"}}, all, []string{
			"Send 2 rows again", "Up to 2 rows of contacts", "Only errors of the record 7 are meant.", "1 more row was rejected", "1 row of the type unknown is not sent",
			"penstock retry contacts.r3 --record 7 --data d\npenstock retry contacts.r1 --record 7 --data d\n",
		}, []string{"retry contacts.r3 7", "retry contacts.r1 7"}},
		"of a run": {url.Values{"run": {"contacts.r1"}, "record": {"7"}}, all, []string{"Send 1 row again"}, []string{"retry contacts.r1 7"}},
		"narrowed more": {url.Values{"run": {"contacts.r0"}, "record": {"7"}, "type": {"unknown"}}, all, []string{
			"Send 1 row again", "the record 7 are meant. Only errors of the type unknown are meant.", "penstock retry contacts.r0 --record 7 --type unknown --data d",
		}, []string{"retry contacts.r0 7,unknown"}},
		"by key": {url.Values{"sync": {"contacts"}, "record": {"ann@acme.com"}}, all, []string{
			"Send 2 rows again", "penstock retry contacts.r3 --error contacts.r3#b#8 --error contacts.r3#b#7 --data d",
		}, []string{"retry contacts.r3 contacts.r3#b#8,contacts.r3#b#7"}},
		"what a form does not keep": {url.Values{"sync": {"contacts"}, "record": {"7\r\n"}}, []view.Error{odd}, []string{"Send 1 row again"}, []string{"retry contacts.r3 contacts.r3#b#7"}},
		"nobody's":                  {url.Values{"sync": {"contacts"}, "record": {"nobody"}}, all, []string{"There is no row that could be sent again"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := full()
			s.filtered = func(f view.Filter) (out view.Errors) { // one a page
				n := 0
				for _, e := range c.errs {
					if f.Run != "" && e.Run != f.Run || f.Sync != e.Sync || f.Type != "" && e.Type != f.Type || e.RecordID != f.Record && e.Key != f.Record {
						continue
					}
					if n++; n == len(f.After)+1 {
						out.Errors = append(out.Errors, e)
					} else if n > len(f.After)+1 {
						out.Next = f.After + "x"
					}
				}
				return out
			}
			p := inside(t, s)
			status, page := p.get("/confirm/retry?" + c.q.Encode())
			for _, want := range c.says {
				if status != 200 || !strings.Contains(unescape(page), want) {
					t.Errorf("%d, it does not say %q:\n%s", status, want, unescape(page))
				}
			}
			if c.did == nil {
				if strings.Contains(page, "<form") {
					t.Error("it offers to act")
				}
				return
			}
			later := anError("r5", "7", "ann@acme.com", "BUSY", 0) // nobody was asked about it
			c.errs = append([]view.Error{later}, c.errs...)
			if status, page = p.do("POST", "/do/retry", form(page)); status != 200 || !strings.Contains(page, "Done.") {
				t.Errorf("%d %s", status, page)
			}
			if diff := cmp.Diff(c.did, s.did); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A retry of a run, or of a sync's last runs, counts what is still open, where that can be
// read, and is not offered of what is not.
func TestRetryOfWhatIsOpen(t *testing.T) {
	open, settled, rejected, bare := anError("r1", "1", "k1", "BUSY", 1), anError("r1", "2", "k2", "BUSY", 2), anError("r1", "3", "k3", "too_long", 3), anError("r1", "4", "k4", "BUSY", 4)
	settled.Settled, rejected.Stage, open.Field = true, "intake", "email"
	for name, c := range map[string]struct {
		ask  string
		errs []view.Error
		says []string
		did  []string
	}{
		"a run":          {"run=contacts.r1", []view.Error{open, settled, rejected, bare}, []string{"Send 2 rows again", "1 more row was rejected"}, []string{"retry contacts.r1 "}},
		"a run's group":  {"run=contacts.r1&type=BUSY&stage=deliver&nofield=1", []view.Error{open, settled, bare}, []string{"Send 1 row again"}, []string{"retry contacts.r1 BUSY,deliver,"}},
		"a settled run":  {"run=contacts.r1", []view.Error{settled}, []string{"There is no row that could be sent again."}, nil},
		"a sync":         {"sync=contacts", []view.Error{open, settled}, []string{"Up to 1 row of contacts", "of 1 run."}, []string{"retry contacts.r1 "}},
		"a settled sync": {"sync=contacts", []view.Error{settled}, []string{"There is no row that could be sent again."}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := full()
			s.run.Groups = append(s.run.Groups, view.Group{Stage: "deliver", Type: "BUSY", Rows: 3})
			s.sync.Chart = s.sync.Chart[:1]
			s.filtered = func(view.Filter) view.Errors { return view.Errors{Errors: c.errs} }
			p := inside(t, s)
			_, page := p.get("/confirm/retry?" + c.ask)
			for _, want := range c.says {
				if !strings.Contains(unescape(page), want) {
					t.Errorf("it does not say %q:\n%s", want, unescape(page))
				}
			}
			if offered := strings.Contains(page, "<form"); offered != (c.did != nil) {
				t.Fatalf("it offers to act: %v", offered)
			}
			if c.did != nil {
				p.do("POST", "/do/retry", form(page))
			}
			if diff := cmp.Diff(c.did, s.did); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A record's errors are looked for only so far, and the page says how far.
func TestRetryOfARecordEnds(t *testing.T) {
	s := full()
	asked := 0
	s.filtered = func(view.Filter) view.Errors {
		asked++
		return view.Errors{Next: "more", Since: noon.Add(-time.Hour)}
	}
	_, page := inside(t, s).get("/confirm/retry?sync=contacts&record=7")
	if asked != recordPages || !strings.Contains(page, "older ones than of 2026-03-01 11:00:00") {
		t.Errorf("asked %d times:\n%s", asked, page)
	}
}
