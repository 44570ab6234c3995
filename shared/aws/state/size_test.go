package state

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// worst is a text that takes six bytes in JSON for each of its own.
func worst(n int) string { return strings.Repeat("<", n) }

// longCursor is the longest cursor that there is.
var longCursor = `"` + worst(998) + `"`

// noise is text that nothing makes smaller.
func noise(rng *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[rng.IntN(64)]
	}
	return string(b)
}

// groups are the most that a run and a message keep, with the longest codes.
func groups(rng *rand.Rand) []run.Group {
	var all []run.Group
	for range 200 {
		all = append(all, run.Group{Stage: "deliver", Type: noise(rng, 80), Field: noise(rng, 80), Rows: 1 << 40})
	}
	return run.AddGroups(nil, all)
}

// TestItemsStaySmall holds that nothing of what is stored can pass 100 KB, however
// long what a warehouse or a vendor says: what could not be stored would wait, and
// come again, for ever.
func TestItemsStaySmall(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	runID := strings.Repeat("s", 63) + ".q0123456789abcdef~2"
	check := func(name string, i attr.Item, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(name, err)
		}
		i[attr.Expires] = attr.N(at.Unix())
		if n := attr.Size(i); n > attr.MaxItem {
			t.Errorf("%s: %d bytes", name, n)
		} else {
			t.Logf("%s: %d bytes", name, n)
		}
	}

	codes := make([]run.Code, run.MaxRows)
	for n := range codes {
		codes[n] = run.Code(rng.IntN(250))
	}
	b := run.Batch{
		Run: runID, ID: "fedcba9876543210", Sync: "other", Version: "v0123456789ab", BodyHash: "1a2b3c4d:6123450", Sequence: 1 << 60, At: at,
		Cursor: longCursor, Least: longCursor, Chunks: 200, Lanes: []byte(noise(rng, 200)), Rows: run.PackCodes(codes),
		Groups: []byte(noise(rng, 32<<10)), Failures: groups(rng), Counts: run.Counts{Received: run.MaxRows},
	}
	for left := 12 << 10; left > 0; left -= 12 << 10 / run.MaxFaults {
		b.Faults = append(b.Faults, row.Fault{Field: "c", Rule: "rule", Message: noise(rng, 12<<10/run.MaxFaults)})
	}
	i, err := batchItem(b)
	check("batch", i, err)
	if _, err := readBatch(i); err != nil {
		t.Error(err)
	}

	b.Rows, b.Groups, b.Asked = run.PackCodes(codes[:run.MaxRows/10]), nil, &run.Asked{Next: "fedcba9876543210#12345", Read: run.MaxRows}
	for range run.MaxRows / 10 { // a page of penstock_retry: each error of another batch
		b.Asked.Add(&run.RowError{Batch: fmt.Sprintf("%016x", rng.Uint64()), Row: rng.IntN(run.MaxRows)})
	}
	i, err = batchItem(b)
	check("batch of a retry", i, err)
	if _, err := readBatch(i); err != nil {
		t.Error(err)
	}

	fates := make([]run.Fate, 2500) // rows of a message
	due := run.Due{Sync: run.SyncOf(runID), Run: runID, Batch: b.ID, By: runID + "#" + b.ID + "#1", Version: b.Version, Attempts: 1 << 30, At: at}
	killers := map[int]int{}
	var cursors []run.Held
	for n := range fates {
		fates[n] = []run.Fate{run.FateDelivered, run.FateFailed}[n%2]
		due.Rows = append(due.Rows, 1<<31+n)
		killers[n] = 2
		cursors = append(cursors, run.Held{Cursor: `"` + fmt.Sprintf("%04d", n) + worst(990) + `"`, Rows: 1})
	}
	content, err := body(run.Chunk{Done: true, At: at, Hold: longCursor, Cursors: run.BoundHeld(cursors), Outcomes: run.PackFates(fates), Groups: groups(rng), Most: 1 << 20})
	check("record of a message", item(batchPK(runID, b.ID), "CHUNK#"+b.ID+"#1", attr.Item{"body": content}), err)
	content, err = body(run.Start{Receives: 1000, At: at, Deaths: 1000, Row: 2499, Killers: killers})
	check("mark of a message", item(batchPK(runID, b.ID), "CHUNK#"+b.ID+"#1", attr.Item{"mark": content}), err)
	content, err = body(due)
	check("due item", item(syncPK(due.Sync), dueSK(due), attr.Item{"body": content}), err)

	reason := worst(2500) // a vendor's message is 2,000 bytes at most, behind what was done
	r := run.Run{
		ID: runID, Sync: due.Sync, Version: b.Version, Target: noise(rng, 400), Mode: run.Full, Bracketed: true, Original: runID, Query: worst(1000), Caller: worst(200),
		Status: run.Failed, Outcome: run.Partial, Reason: reason, TakenBy: runID, BegunAt: at, FinishedAt: at, EndedAt: at, From: longCursor, Cursor: longCursor, Hold: longCursor,
		Groups: groups(rng), Revision: 1 << 60,
	}
	s := &Store{now: func() time.Time { return at }}
	i, err = s.runItem(r)
	check("run", i, err)

	m := run.Mark{Sync: due.Sync, Target: r.Target, Column: noise(rng, 255), Version: b.Version, Value: longCursor, Type: "text", Low: longCursor}
	for hours := range 24 * 90 {
		now := at.Add(time.Duration(hours) * time.Hour)
		done := r
		done.Status, done.SelectAll, done.Mode, done.From, done.Expected, done.MarkRevision = run.Complete, hours == 0, run.Incremental, "", 1, m.Revision
		m, _, _, _ = m.Complete(run.Completion{Run: done, Tally: &run.Tally{Counts: run.Counts{Received: 1}, Cursor: `"` + fmt.Sprintf("%08d", hours) + worst(990) + `"`}, Latest: true, Window: 30 * 24 * time.Hour, Now: now})
	}
	if len(m.Past) < 3 || !strings.Contains(m.Value, "00002159") {
		t.Errorf("the mark has %d completions and the value %.20s", len(m.Past), m.Value)
	}
	i, err = markItem(m)
	check("mark", i, err)

	h := run.Halt{Sync: due.Sync, Version: b.Version, Code: noise(rng, 80), Field: noise(rng, 80), Reason: reason, Since: at, Next: at}
	for range 20 {
		h.Runs = append(h.Runs, runID)
	}
	content, err = body(h)
	check("halt", item(syncPK(due.Sync), "HALT#v", attr.Item{"body": content}), err)
	content, err = body(pace.State{Since: at, Until: at, Code: noise(rng, 80), Reason: reason})
	check("pause", item("PACE#c", "STATE", attr.Item{"body": content}), err)
}
