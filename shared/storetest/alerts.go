package storetest

import (
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/alert"
	"github.com/penstock-data/penstock/shared/run"
)

var alertTests = []test{
	{"absent", func(t *testing.T, s Stores) {
		same(t, "Alerts", alert.Book{Sync: "health"}, must(s.Alerts(t.Context(), "health"))(t))
	}},
	{"compare and set", func(t *testing.T, s Stores) {
		b := aBook("health")
		ok(t, s.SetAlerts(t.Context(), b))
		ok(t, s.SetAlerts(t.Context(), aBook("health_eu")))
		fails(t, "SetAlerts of one that was read before", s.SetAlerts(t.Context(), b), run.ErrConflict)
		b.Revision = 1
		s = s.Reopen()
		same(t, "Alerts", b, must(s.Alerts(t.Context(), "health"))(t))
		b.Open, b.Outbox = nil, nil
		ok(t, s.SetAlerts(t.Context(), b))
		b.Revision++
		same(t, "Alerts", b, must(s.Alerts(t.Context(), "health"))(t))
		if other := must(s.Alerts(t.Context(), "health_eu"))(t); other.Revision != 1 {
			t.Errorf("the other sync's: %+v", other)
		}
	}},
	{"raced", func(t *testing.T, s Stores) {
		for revision := range int64(2) {
			if n := won(t, 8, func(i int) error {
				b := aBook("health")
				b.Open[0].Times, b.Revision = i, revision
				return s.SetAlerts(t.Context(), b)
			}); n != 1 {
				t.Errorf("%d sweepers stored over revision %d, want 1", n, revision)
			}
		}
	}},
	{"as large as can be", func(t *testing.T, s Stores) {
		b := aBook("health")
		for len(b.Sent) < 50 {
			b.Sent = append(b.Sent, alert.Delivery{At: start, Kind: alert.RunFailed, Step: alert.Raised, Type: "email", Failure: strings.Repeat("x", alert.MaxFailure)})
		}
		for len(b.Outbox) < 60 {
			b.Outbox = append(b.Outbox, b.Outbox[0])
		}
		ok(t, s.SetAlerts(t.Context(), b))
		b.Revision++
		same(t, "Alerts", b, must(s.Alerts(t.Context(), "health"))(t))
	}},
}

func aBook(sync string) alert.Book {
	n := alert.Notice{Sync: sync, Connection: "crm", Kind: alert.RunFailed, Step: alert.Raised, At: start, Since: start, Run: sync + ".r1",
		Rows: 3, Of: 4, Why: "the last run delivered none of its rows", Mend: "penstock errors " + sync + ".r1", Times: 1}
	return alert.Book{
		Sync: sync,
		Open: []alert.Open{{Kind: alert.RunFailed, Since: start, Told: start, Times: 1, Run: sync + ".r1", Rows: 3}},
		Outbox: []alert.Letter{{Notice: n, To: alert.Recipient{Type: "email", Addresses: []string{"a@b.co"}}, Attempts: 1,
			Next: start.Add(time.Minute), Failure: "451"}},
	}
}
