package runs_test

import (
	"testing"
	"time"
)

// A run whose connection has spent its share of the quota says so, how much of it is spent
// and when its rows go on, for status and pages alike; and then they do.
func TestARunWaitsForTheQuota(t *testing.T) {
	w, _ := seen(t)
	w.vendor.daily = 10 // five of them at once, and five over the day
	id := w.begin("", "t1").Run
	for i := range 5 {
		w.push(id, record{string(rune('a' + i)), 1, i})
		w.work()
	}
	waits := func() string { return w.status(id).Runs[0].Waits }
	if got, want := waits(), "penstock_finish, or another push"; got != want {
		t.Errorf("while nothing is queued: %q, want %q", got, want)
	}
	w.push(id, record{"y", 1, 8}, record{"z", 1, 9})
	w.work()
	const want = `2 rows, which the quota of connection "prod" keeps back: of its share, 10 calls in 24h, 5 of the 5 that may be made at once are spent; ` +
		`one comes back every 4h48m1s, and the next rows go from 2026-01-05T16:48:02Z on`
	if got := waits(); got != want {
		t.Errorf("it waits for\n%q, want\n%q", got, want)
	}
	w.sweepOnce()
	if o := w.overview(); len(o.Running) != 1 || o.Running[0].WaitsFor != want {
		t.Errorf("the overview says %+v", o.Running)
	}
	w.now = time.Date(2026, 1, 5, 16, 47, 0, 0, time.UTC)
	w.work()
	if got := waits(); got == "" || w.vendor.values["z"] != "" {
		t.Errorf("before its time: %q, %v", got, w.vendor.values)
	}
	w.now = time.Date(2026, 1, 5, 17, 48, 2, 0, time.UTC) // the message may come a quarter later than its call
	w.work()
	if w.vendor.values["y"] == "" || w.vendor.values["z"] == "" {
		t.Errorf("after it: %q, %v", waits(), w.vendor.values)
	}
}
