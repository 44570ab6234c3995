package verify_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/verify"
)

// held is an entry of a record whose field was sent as a canonical value; "" left it alone.
func held(key string, sent ...string) *ledger.Entry {
	e := &ledger.Entry{Key: key, Held: ledger.Held{Fingerprint: row.Fingerprint{1}, ID: "001", Sequence: 1}}
	for _, s := range sent {
		var v jsontext.Value
		if s != "" {
			v = jsontext.Value(s)
		}
		e.Held.Fields = append(e.Held.Fields, ledger.FieldHash(v))
	}
	return e
}

// as is a form that takes values as they are.
func as(_ int, v jsontext.Value) []jsontext.Value { return []jsontext.Value{v} }

func TestCompare(t *testing.T) {
	many := func(v jsontext.Value) bool { return len(v) > 4 }
	short := func(v jsontext.Value) []jsontext.Value { return []jsontext.Value{jsontext.Value(`"short"`)} }
	for name, c := range map[string]struct {
		field       verify.Field
		sent, found string
		want        string
	}{
		"equal":                  {verify.Field{}, `"a"`, `"a"`, "[] []"},
		"another":                {verify.Field{}, `"a"`, `"b"`, "[0] []"},
		"left alone":             {verify.Field{}, "", `"b"`, "[] []"},
		"emptied":                {verify.Field{}, `"a"`, `null`, "[0] []"},
		"not readable":           {verify.Field{Why: "computed"}, `"a"`, `"b"`, "[] []"},
		"not shown":              {verify.Field{}, `"a"`, "", "[] []"},
		"rounded":                {verify.Field{Alters: "rounds"}, `1.25`, `1.3`, "[] [0]"},
		"rounded, as sent":       {verify.Field{Alters: "rounds"}, `1.3`, `1.3`, "[] []"},
		"rounded, of many":       {verify.Field{Alters: "rounds", Altered: many}, `1.25`, `1.3333`, "[] [0]"},
		"not rounded, of few":    {verify.Field{Alters: "rounds", Altered: many}, `1.25`, `1.3`, "[0] []"},
		"false is empty":         {verify.Field{Empty: jsontext.Value("false")}, `null`, `false`, "[] []"},
		"true is not":            {verify.Field{Empty: jsontext.Value("false")}, `null`, `true`, "[0] []"},
		"a short form":           {verify.Field{Also: short}, `"short"`, `"long"`, "[] []"},
		"not its short form":     {verify.Field{Also: short}, `"other"`, `"long"`, "[0] []"},
		"trimmed":                {verify.Field{Trims: true}, `" a\n"`, `"a"`, "[] []"},
		"trimmed, and another":   {verify.Field{Trims: true}, `" a"`, `"b"`, "[0] []"},
		"not trimmed":            {verify.Field{}, `" a"`, `"a"`, "[0] []"},
		"match, in another case": {verify.Field{Match: true}, `"K"`, `"k"`, "[] []"},
		"match, another":         {verify.Field{Match: true}, `"K"`, `"x"`, "[0] []"},
		"match, emptied":         {verify.Field{Match: true}, `"K"`, `null`, "[0] []"},
		"match, altered":         {verify.Field{Match: true, Alters: "in lower case"}, `"K"`, `"k"`, "[] []"},
		"match, one's own":       {verify.Field{Match: true, Alters: "in lower case"}, `"K"`, `"x"`, "[0] []"},
	} {
		c.field.Name = "F"
		f := verify.Fields{Of: []verify.Field{c.field}, Form: as, Identity: row.Identity{Steps: []row.Step{row.StepTrim, row.StepLower}}}
		values := []jsontext.Value{jsontext.Value(c.found)}
		if c.found == "" {
			values[0] = nil
		}
		changed, unsure := f.Compare(held("k", c.sent), values)
		if got := fmt.Sprint(changed, unsure); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestBefore(t *testing.T) {
	for want, change := range map[verify.State]func(*ledger.Held){
		"":             func(*ledger.Held) {},
		verify.Removed: func(h *ledger.Held) { h.Fingerprint = row.Gone },
		verify.Waits:   func(h *ledger.Held) { h.Fingerprint = row.Fingerprint{} },
		verify.NoID:    func(h *ledger.Held) { h.ID = "" },
		verify.Unkept:  func(h *ledger.Held) { h.Fields = nil },
	} {
		e := held("k", `"a"`)
		change(&e.Held)
		if got := verify.Before(e); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// A sample is the same in whatever order the ledger lists its entries, another one under
// another seed, and each entry has its chance.
func TestSample(t *testing.T) {
	draw := func(size int, seed uint64, order func(i int) int) (keys []string) {
		s := verify.Sample{Size: size, Seed: seed}
		for i := range 1000 {
			s.Add(ledger.Entry{Key: fmt.Sprint(order(i))})
		}
		if s.Total() != 1000 {
			t.Errorf("%d were shown", s.Total())
		}
		for _, e := range s.Chosen() {
			keys = append(keys, e.Key)
		}
		return keys
	}
	up, down := func(i int) int { return i }, func(i int) int { return 999 - i }
	first := draw(100, 7, up)
	if d := cmp.Diff(first, draw(100, 7, down)); d != "" || len(first) != 100 {
		t.Errorf("%d keys: %s", len(first), d)
	}
	if cmp.Diff(first, draw(100, 8, up)) == "" {
		t.Error("another seed draws the same")
	}
	if n := len(draw(0, 1, up)); n != 1000 {
		t.Errorf("all are %d", n)
	}
	drawn := map[string]int{}
	for seed := range uint64(300) {
		for _, k := range draw(100, seed, up) {
			drawn[k]++
		}
	}
	for i := range 1000 { // 30 are expected, with a deviation of 5.2
		if n := drawn[fmt.Sprint(i)]; n < 5 || n > 60 {
			t.Errorf("%d was drawn %d times of 300", i, n)
		}
	}
}

// Each sync is checked once a day, at a time of its own; a day that was missed is not made
// up for, and what was found amiss of the schema is looked at again.
func TestDue(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	slot := verify.Slot("s", noon)
	if next := verify.Slot("s", slot.Add(24*time.Hour)); next.Sub(slot) != 24*time.Hour || slot.After(noon) || noon.Sub(slot) >= 24*time.Hour {
		t.Errorf("%s, then %s", slot, next)
	}
	slots := map[int]bool{}
	for i := range 100 {
		slots[verify.Slot(fmt.Sprint("sync_", i), noon).Hour()] = true
	}
	if len(slots) < 20 {
		t.Errorf("100 syncs are checked in %d hours of the day", len(slots))
	}
	long := slot.AddDate(0, -1, 0)
	faulty := verify.Schema{TriedAt: slot, Faults: []string{"f"}}
	for name, c := range map[string]struct {
		tried, applied, now time.Time
		schema              verify.Schema
		version             string
		want                string
	}{
		"never, applied long ago":   {time.Time{}, long, slot, verify.Schema{}, "v", "true true"},
		"never, applied since":      {time.Time{}, slot.Add(time.Second), slot.Add(time.Hour), verify.Schema{}, "v", "false false"},
		"just before its time":      {slot.AddDate(0, 0, -1), long, slot.Add(-time.Second), verify.Schema{}, "v", "false false"},
		"at its time":               {slot.AddDate(0, 0, -1), long, slot, verify.Schema{}, "v", "true true"},
		"done":                      {slot, long, slot.Add(23 * time.Hour), verify.Schema{}, "v", "false false"},
		"a week later":              {slot, long, slot.AddDate(0, 0, 7), verify.Schema{}, "v", "true true"},
		"once a week later":         {slot.AddDate(0, 0, 7), long, slot.AddDate(0, 0, 7).Add(time.Hour), verify.Schema{}, "v", "false false"},
		"amiss":                     {slot, long, slot.Add(59 * time.Minute), faulty, "v", "false false"},
		"amiss, an hour ago":        {slot, long, slot.Add(time.Hour), faulty, "v", "true false"},
		"amiss, another version":    {slot, long, slot.Add(time.Minute), faulty, "w", "true false"},
		"well, another version":     {slot, long, slot.Add(time.Minute), verify.Schema{}, "w", "false false"},
		"tried by a clock put back": {slot.AddDate(0, 0, 3), long, slot.Add(time.Minute), verify.Schema{}, "v", "true true"},
	} {
		r := verify.Reading{Sync: "s", Version: "v", TriedAt: c.tried, Schema: c.schema}
		schema, sample := r.Due(c.now, c.applied, c.version)
		if got := fmt.Sprint(schema, sample); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if a, b := verify.Seed("s", slot), verify.Seed("s", slot.Add(24*time.Hour)); a == b || a != verify.Seed("s", slot.Add(time.Hour)) {
		t.Errorf("seeds %d and %d", a, b)
	}
}

// Findings of another object or connection say nothing of this one's.
func TestOf(t *testing.T) {
	r := verify.Reading{Sync: "s", Connection: "c", Object: "o", Sample: verify.Summary{Compared: 1}, Revision: 3}
	if same := r.Of("s", "c", "o"); same.Sample.Compared != 1 {
		t.Error("the same is not known")
	}
	for _, other := range []verify.Reading{r.Of("s", "d", "o"), r.Of("s", "c", "p")} {
		if other.Sample.Compared != 0 || other.Revision != 3 || other.Sync != "s" {
			t.Errorf("%+v", other)
		}
	}
}

func TestSummary(t *testing.T) {
	r := verify.Report{States: map[verify.State]int64{verify.Same: 7, verify.Changed: 2, verify.Missing: 1}, Fields: map[string]int64{}, Compared: 10, Mended: 2}
	for i := range 1000 {
		r.Fields[fmt.Sprint(i)] = 1
	}
	r.Fields["most"] = 2
	s := r.Summary()
	if s.Differ() != 1 || s.Missing != 1 || s.Changed != 2 || len(s.Fields) != 200 || s.Fields["most"] != 2 {
		t.Errorf("%+v", s)
	}
}

// A report that says less than what was found last does not end an alert.
func TestOutweighs(t *testing.T) {
	found := verify.Summary{Compared: 100, Changed: 2}
	for name, c := range map[string]struct {
		last     verify.Summary
		compared int64
		budget   verify.Budget
		stopped  string
		want     bool
	}{
		"nothing was found":        {verify.Summary{Compared: 100}, 1, verify.Budget{Ledger: 1000, Records: 1}, "", false},
		"all that was is mended":   {verify.Summary{Compared: 100, Changed: 2, Mended: 2}, 1, verify.Budget{Ledger: 1000, Records: 1}, "", false},
		"as many":                  {found, 100, verify.Budget{Ledger: 1000, Records: 100}, "", false},
		"fewer":                    {found, 99, verify.Budget{Ledger: 1000, Records: 99}, "", true},
		"fewer, but all":           {found, 50, verify.Budget{Ledger: 50, Records: 50}, "", false},
		"fewer of all, then spent": {found, 50, verify.Budget{Ledger: 1000, Records: 1000}, "spent", true},
	} {
		r := verify.Report{Compared: c.compared, Budget: c.budget, Stopped: c.stopped}
		if got := c.last.Outweighs(&r); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
