package run

import (
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

func after(d time.Duration) time.Time { return noon.Add(d) }

// tally is of one sent batch of so many rows at noon, of which so many were
// delivered a minute later.
func tallyOf(received, delivered int64) *Tally {
	t := &Tally{}
	t.AddBatch(&Batch{Sent: true, At: noon, Counts: Counts{Received: received, Queued: received}})
	if delivered > 0 {
		t.AddChunk("b", Chunk{Done: true, At: after(time.Minute), Counts: Counts{Delivered: delivered}})
	}
	return t
}

func TestSettle(t *testing.T) {
	unsent := tallyOf(2, 2)
	unsent.Pending = 1
	finishing := Run{ID: "s.r1", Bracketed: true, Status: Finishing, BegunAt: noon, FinishedAt: noon, Expected: 2}
	open := Run{ID: "s.r1", Bracketed: true, Status: Open, BegunAt: noon, Expected: -1}
	implicit := Run{ID: "s.q1", Status: Open, BegunAt: noon, Expected: -1}
	with := func(r Run, rows int64) Run { r.Expected = rows; return r }
	for name, c := range map[string]struct {
		run    Run
		tally  *Tally
		at     time.Duration
		want   Status
		reason string
	}{
		"all settled":                      {finishing, tallyOf(2, 2), time.Minute, Complete, ""},
		"a batch pending":                  {finishing, unsent, time.Minute, Finishing, ""},
		"a batch pending for long":         {finishing, unsent, 62 * time.Minute, Incomplete, "1 batches were not wholly queued"},
		"short of rows":                    {with(finishing, 3), tallyOf(2, 2), time.Minute, Finishing, "2 rows were received, finish announced 3"},
		"short of rows for long":           {with(finishing, 3), tallyOf(2, 2), 62 * time.Minute, Incomplete, "finish announced 3"},
		"more rows than announced":         {with(finishing, 1), tallyOf(2, 2), time.Minute, Complete, "the watermark stays"},
		"queued rows keep it alive":        {finishing, tallyOf(2, 1), 13 * 24 * time.Hour, Finishing, ""},
		"longer than a queue keeps them":   {finishing, tallyOf(2, 1), 14 * 24 * time.Hour, Incomplete, "1 of 2 rows did not settle"},
		"open":                             {open, tallyOf(2, 2), 59 * time.Minute, Open, ""},
		"open for long":                    {open, tallyOf(2, 2), 61 * time.Minute, Incomplete, "penstock_finish was not called"},
		"open with rows queued":            {open, tallyOf(2, 1), 61 * time.Minute, Incomplete, "penstock_finish was not called"},
		"open without a row":               {open, &Tally{}, 2 * time.Hour, Open, ""},
		"open without a row for long":      {open, &Tally{}, 3 * time.Hour, Incomplete, "penstock_finish was not called"},
		"implicit, just now":               {implicit, tallyOf(2, 2), time.Minute, Open, ""},
		"implicit, quiet":                  {implicit, tallyOf(2, 2), 2 * time.Minute, Complete, ""},
		"implicit, quiet with rows queued": {implicit, tallyOf(2, 1), 2 * time.Hour, Finishing, ""},
		"implicit, unsent":                 {implicit, unsent, 2 * time.Minute, Open, ""},
		"implicit, unsent for long":        {implicit, unsent, 62 * time.Minute, Incomplete, "not wholly queued"},
	} {
		got := Settle(c.run, c.tally, after(c.at), DefaultPolicy())
		if got.Status != c.want || !strings.Contains(got.Reason, c.reason) || c.reason == "" && got.Reason != "" {
			t.Errorf("%s: %s %q, want %s %q", name, got.Status, got.Reason, c.want, c.reason)
		}
	}
}

// A batch that could not be marked as sent is sent once its last message is recorded: nobody
// may come to send it again.
func TestRecordedIsSent(t *testing.T) {
	for name, c := range map[string]struct {
		chunks   int
		recorded []string // the batch of each record
		want     int
	}{
		"none recorded":     {2, nil, 1},
		"one of two":        {2, []string{"b"}, 1},
		"another batch's":   {2, []string{"b", "c"}, 1},
		"both":              {2, []string{"b", "b"}, 0},
		"no row was queued": {0, nil, 1}, // its errors may not be stored
	} {
		var tally Tally
		tally.AddBatch(&Batch{ID: "b", Chunks: c.chunks})
		tally.AddBatch(&Batch{ID: "c", Chunks: 1, Sent: true})
		for _, batch := range c.recorded {
			tally.AddChunk(batch, Chunk{Done: true})
		}
		if tally.Pending != c.want {
			t.Errorf("%s: %d batches are pending, want %d", name, tally.Pending, c.want)
		}
	}
}

func TestReopen(t *testing.T) {
	final := func(r Run) Run { r.Final = true; return r }
	for name, c := range map[string]struct {
		run  Run
		want Status // "" is: it takes the batch as it is
	}{
		"implicit, complete":    {Run{Status: Complete}, Open},
		"implicit, incomplete":  {Run{Status: Incomplete}, Open},
		"implicit, failed":      {Run{Status: Failed}, Open},
		"implicit, closing":     {Run{Status: Finishing}, Open},
		"implicit, cancelled":   {Run{Status: Cancelled}, ""},
		"bracketed, incomplete": {Run{Bracketed: true, Status: Incomplete}, Open},
		"bracketed, given up":   {Run{Bracketed: true, Status: Incomplete, FinishedAt: noon, Expected: 3}, Finishing},
		"bracketed, cancelled":  {Run{Bracketed: true, Status: Cancelled}, ""},
		"bracketed, failed":     {Run{Bracketed: true, Status: Failed}, ""},
		"bracketed, complete":   {Run{Bracketed: true, Status: Complete}, ""},
		"bracketed, open":       {Run{Bracketed: true, Status: Open}, ""},
	} {
		got, ok := Reopen(c.run)
		if late, counts := Reopen(final(c.run)); (c.run.Status.Dead() || c.run.Bracketed && c.run.Status == Failed) && (!counts || late.Final || late.Status != c.run.Status) {
			t.Errorf("%s: its late batch is not counted: %+v", name, late)
		}
		if ok != (c.want != "") || ok && (got.Status != c.want || !got.EndedAt.IsZero()) {
			t.Errorf("%s: %s %v, want %q", name, got.Status, ok, c.want)
		}
	}
}

func TestOutcomeOf(t *testing.T) {
	for name, c := range map[string]struct {
		run    Run
		counts Counts
		want   Outcome
	}{
		"all delivered":      {Run{Status: Complete}, Counts{Received: 3, Delivered: 1, Unchanged: 1, Superseded: 1}, Succeeded},
		"no rows":            {Run{Status: Complete}, Counts{}, Succeeded},
		"some failed":        {Run{Status: Complete}, Counts{Received: 3, Delivered: 1, Failed: 2}, Partial},
		"all failed":         {Run{Status: Complete}, Counts{Received: 2, Failed: 1, Rejected: 1}, None},
		"halted":             {Run{Status: Failed}, Counts{Received: 2, Failed: 2}, None},
		"cancelled half way": {Run{Status: Cancelled}, Counts{Received: 4, Delivered: 2, Cancelled: 2}, Partial},
		"incomplete":         {Run{Status: Incomplete}, Counts{Received: 2, Delivered: 2}, Partial},
		"never pushed":       {Run{Status: Incomplete}, Counts{}, None},
		"goes on":            {Run{Status: Finishing}, Counts{Received: 2, Delivered: 1}, ""},
		"a retry":            {Run{ID: "s.q1~2", Status: Complete}, Counts{Received: 1, Delivered: 1}, ""},
	} {
		if got := OutcomeOf(c.run, c.counts); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
