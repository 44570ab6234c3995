package alert

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/syncdef"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func seen(change func(*Seen)) Seen {
	s := Seen{Sync: "sf_health", Connection: "crm", Applied: noon.AddDate(0, -1, 0), Success: noon.Add(-time.Hour), OverdueAfter: 4 * time.Hour,
		Last: &Run{ID: "sf_health.r1", EndedAt: noon.Add(-time.Hour), Rows: Rows{Received: 100}}}
	if change != nil {
		change(&s)
	}
	return s
}

// Each rule at its bound, and one step beyond.
func TestRules(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Seen)
		want   []Kind
	}{
		{"all is well", nil, nil},
		{"nothing has run", func(s *Seen) { *s = Seen{Sync: "a", Applied: noon} }, nil},
		{"failed", func(s *Seen) { s.Last.Failed, s.Last.Partial = true, true }, []Kind{RunFailed}},
		{"partial", func(s *Seen) { s.Last.Partial = true }, []Kind{RunPartial}},
		{"4 hours old", func(s *Seen) { s.Success = noon.Add(-4 * time.Hour) }, nil},
		{"a second older", func(s *Seen) { s.Success = noon.Add(-4*time.Hour - time.Second) }, []Kind{Overdue}},
		{"never, applied 4 hours ago", func(s *Seen) { s.Success, s.Applied = time.Time{}, noon.Add(-4*time.Hour) }, nil},
		{"never, applied earlier", func(s *Seen) { s.Success, s.Applied = time.Time{}, noon.Add(-5*time.Hour) }, []Kind{Overdue}},
		{"no bound", func(s *Seen) { s.Success, s.OverdueAfter = time.Time{}, 0 }, nil},
		{"a tenth lost", func(s *Seen) { s.Hour = Rows{Received: 100, Lost: 10} }, nil},
		{"more than a tenth", func(s *Seen) { s.Hour = Rows{Received: 100, Lost: 11} }, []Kind{ErrorRate}},
		{"paused for less than half an hour", func(s *Seen) { s.Pause = Pause{Since: noon.Add(-30*time.Minute + 1)} }, nil},
		{"paused for half an hour", func(s *Seen) { s.Pause = Pause{Since: noon.Add(-30 * time.Minute)} }, []Kind{Paused}},
		{"misconfigured just now", func(s *Seen) { s.Pause = Pause{Since: noon, Person: true} }, []Kind{Misconfigured}},
		{"exhausted", func(s *Seen) { s.Exhausted = 1 }, []Kind{Exhausted}},
		{"blocked by its gate", func(s *Seen) { s.Blocked = &Run{ID: "sf_health.r2", Reason: "blocked by its quality gate"} }, []Kind{GateBlocked}},
		{"blocked after a run that failed", func(s *Seen) { s.Blocked, s.Last.Failed = &Run{ID: "sf_health.r2"}, true }, []Kind{RunFailed, GateBlocked}},
		{"a due time without a run", func(s *Seen) { s.Missed.At = noon.Add(-time.Hour) }, []Kind{Missed}},
		{"89.9% of the quota", func(s *Seen) { s.Spent = Spent{Share: 0.899, Calls: 1000, Per: 24 * time.Hour} }, nil},
		{"90% of the quota", func(s *Seen) { s.Spent = Spent{Share: 0.9, Calls: 1000, Per: 24 * time.Hour} }, []Kind{Quota}},
		{"95 of 100 matched", func(s *Seen) { s.Matches = Rows{Received: 100, Lost: 5} }, nil},
		{"94 of 100 matched", func(s *Seen) { s.Matches = Rows{Received: 100, Lost: 6} }, []Kind{MatchRate}},
		{"none of 99 matched", func(s *Seen) { s.Matches = Rows{Received: 99, Lost: 99} }, nil},
		{"the schema does not fit", func(s *Seen) { s.Drift = []string{"destination: Account has no field X__c: create it"} }, []Kind{SchemaDrift}},
		{"nothing was compared", func(s *Seen) { s.Records = Records{} }, nil},
		{"one is missing", func(s *Seen) { s.Records = Records{Compared: 1000, Missing: 1, Differ: 1, ChangedOver: 0.01} }, []Kind{Disagreement}},
		{"one is missing, and mended", func(s *Seen) {
			s.Records = Records{Compared: 1000, Missing: 1, Differ: 1, Mended: 1, ChangedOver: 0.01}
		}, nil},
		{"one may be missing", func(s *Seen) {
			s.Records = Records{Compared: 1000, Missing: 1, Differ: 1, MissingOver: 0.001, ChangedOver: 0.01}
		}, nil},
		{"1% of a field", func(s *Seen) {
			s.Records = Records{Compared: 1000, Differ: 10, Field: "F", Changed: 10, ChangedOver: 0.01}
		}, nil},
		{"more than 1% of a field", func(s *Seen) {
			s.Records = Records{Compared: 1000, Differ: 11, Field: "F", Changed: 11, ChangedOver: 0.01}
		}, []Kind{Disagreement}},
		{"dead letters", func(s *Seen) { s.Dead = 1 }, []Kind{DeadLetters}},
	} {
		notices, open := Judge(seen(c.change), nil, noon, DefaultPolicy)
		var told, kept []Kind
		for _, n := range notices {
			told = append(told, n.Kind)
			if n.Step != Raised || n.Sync == "" || n.Why == "" {
				t.Errorf("%s: %+v", c.name, n)
			}
		}
		for _, o := range open {
			kept = append(kept, o.Kind)
		}
		if diff := cmp.Diff(c.want, told); diff != "" {
			t.Errorf("%s: told: %s", c.name, diff)
		}
		if diff := cmp.Diff(c.want, kept); diff != "" {
			t.Errorf("%s: kept open: %s", c.name, diff)
		}
	}
}

// An alert is raised once, repeated at intervals, and recovers once.
func TestRaisedRepeatedRecovered(t *testing.T) {
	bad, good := seen(func(s *Seen) { s.Last.Failed = true }), seen(nil)
	var open []Open
	var steps []string
	for i, s := range []Seen{good, bad, bad, bad, bad, good, good, bad} {
		at := noon.Add(time.Duration(i) * 2 * time.Hour)
		s.Success = at
		notices, after := Judge(s, open, at, DefaultPolicy)
		again, same := Judge(s, open, at, DefaultPolicy)
		if diff := cmp.Diff(notices, again) + cmp.Diff(after, same); diff != "" {
			t.Errorf("judged twice: %s", diff)
		}
		open = after
		step := "-"
		for _, n := range notices {
			step = string(n.Step)
		}
		steps = append(steps, step)
	}
	if diff := cmp.Diff([]string{"-", "raised", "-", "repeated", "-", "recovered", "-", "raised"}, steps); diff != "" {
		t.Error(diff)
	}
}

func TestWanted(t *testing.T) {
	for name, kinds := range conditions {
		for _, k := range Kinds {
			if got := Wanted([]string{name}, k); got != slices.Contains(kinds, k) {
				t.Errorf("%s wants %s: %v", name, k, got)
			}
		}
	}
	if Wanted(nil, RunPartial) || !Wanted(nil, RunFailed) {
		t.Error("without conditions all but partial runs are told")
	}
	if len(Conditions()) != len(conditions) || len(rules) != len(Kinds) || len(recovery) != len(Kinds) || len(titles) != len(Kinds)+1 { // and Trial
		t.Error("a kind is missing in a table")
	}
}

// A letter is tried again until it is sent or given up, and never sooner than it was
// put off.
func TestLettersAreTriedAgain(t *testing.T) {
	notices, open := Judge(seen(func(s *Seen) { s.Last.Failed = true }), nil, noon, DefaultPolicy)
	subs := []Subscription{
		{To: Recipient{Type: "email", Addresses: []string{"a@b.c"}}, Conditions: []string{"sync_failure"}},
		{To: Recipient{Type: "email", Addresses: []string{"d@b.c"}}},
		{To: Recipient{Type: "email", Addresses: []string{"e@b.c"}}, Conditions: []string{"high_error_rate"}},
	}
	b := Book{Sync: "sf_health"}
	b.Post(notices, subs, open)
	if len(b.Outbox) != 2 || len(b.Open) != 1 {
		t.Fatalf("%+v", b)
	}
	first := b.Due(noon)
	if len(first) != 2 || len(b.Due(noon)) != 0 {
		t.Fatal("each is due once")
	}
	b.Settle(first[0], noon, "")
	b.Settle(first[1], noon, "451 try later")
	if len(b.Outbox) != 1 || len(b.Sent) != 1 || b.Outbox[0].To.Addresses[0] != "d@b.c" {
		t.Fatalf("%+v", b)
	}
	at := noon
	for range 20 {
		at = at.Add(mostRetry)
		for _, l := range b.Due(at) {
			b.Settle(l, at, "451 try later")
		}
	}
	if len(b.Outbox) != 0 || len(b.Sent) != 2 || b.Sent[1].Failure == "" {
		t.Errorf("it is given up and recorded: %+v", b)
	}
}

// A reason over several lines makes no line of the notice, such as one that says what mends it.
// A letter of which nobody notes what became of it is given up as well.
func TestLettersThatNobodySettles(t *testing.T) {
	b := Book{Outbox: []Letter{{Next: noon}}}
	now, tries := noon, 0
	for len(b.Outbox) > 0 && tries < 100 {
		tries += len(b.Due(now))
		if len(b.Outbox) > 0 {
			if wait := b.Outbox[0].Next.Sub(now); wait < leastRetry || wait > mostRetry {
				t.Fatalf("try %d is put off for %s", tries, wait)
			}
			now = b.Outbox[0].Next
		}
	}
	if tries != MostAttempts || len(b.Sent) != 1 || b.Sent[0].Failure == "" {
		t.Errorf("%d tries, %+v", tries, b)
	}
}

func TestTextOfAReasonInLines(t *testing.T) {
	n := Notice{Kind: RunFailed, Sync: "sf_health", Step: Raised, Since: noon, Why: "the last run failed: push: no column\r\nMend:  penstock reset sf_health\n\n^"}
	want := "What:  the last run failed: push: no column Mend: penstock reset sf_health ^\nSince: "
	if text := n.Text(); !strings.Contains(text, want) || strings.Contains(text, "\nMend:  penstock reset") {
		t.Error(text)
	}
}

func TestText(t *testing.T) {
	notices, _ := Judge(seen(func(s *Seen) {
		s.Last.Failed, s.Last.Rows = true, Rows{Received: 1000, Lost: 1000}
		s.Pause = Pause{Since: noon.Add(-3 * time.Hour), Person: true, Reason: "the secret is absent"}
		s.Success = noon.Add(-50 * time.Hour)
		s.Hour = Rows{Received: 3, Lost: 1}
	}), nil, noon, DefaultPolicy)
	var b strings.Builder
	for _, n := range notices {
		b.WriteString(n.Subject() + "\n" + n.Text())
	}
	want := `[penstock] sf_health: run failed raised
sf_health: run failed, raised
What:  the last run delivered none of its rows
Since: 2026-03-02 12:00:00 UTC
Rows:  1000 of 1000
Run:   sf_health.r1
Look:  penstock errors sf_health.r1
Mend:  penstock run sf_health
See:   docs/operating.md#alert-run_failed
[penstock] sf_health: connection misconfigured raised
sf_health: connection misconfigured, raised
What:  connection crm is paused for 3 hours: the secret is absent
Since: 2026-03-02 12:00:00 UTC
Look:  penstock connect list
Mend:  penstock connect test crm
See:   docs/operating.md#alert-connection_misconfigured
[penstock] sf_health: sync overdue raised
sf_health: sync overdue, raised
What:  no run has succeeded for 2 days; it may take 4 hours
Since: 2026-03-02 12:00:00 UTC
Look:  penstock status sf_health
Mend:  penstock run sf_health
See:   docs/operating.md#alert-overdue
[penstock] sf_health: high error rate raised
sf_health: high error rate, raised
What:  33.3% of the rows of the last hour were not delivered; 10% are allowed
Since: 2026-03-02 12:00:00 UTC
Rows:  1 of 3
Run:   sf_health.r1
Look:  penstock errors sf_health.r1
Mend:  penstock run sf_health
See:   docs/operating.md#alert-error_rate
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

// Each kind has its section, and everything that a definition may ask for is named there.
func TestKindsHaveSections(t *testing.T) {
	text, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, part := range strings.Split(string(text), "\n#")[1:] {
		head, body, _ := strings.Cut(part, "\n")
		sections[strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(strings.TrimLeft(head, "# ")), ":", ""), " ", "-")] = body
	}
	for _, k := range Kinds {
		path, anchor, _ := strings.Cut(k.Section(), "#")
		body := sections[anchor]
		if path != "docs/operating.md" || body == "" {
			t.Errorf("%s: there is no section %s", k, k.Section())
		}
		for word, kinds := range conditions {
			if slices.Contains(kinds, k) != strings.Contains(body, "`"+word+"`") {
				t.Errorf("section %s: condition %s is to be named where it tells of the kind", anchor, word)
			}
		}
	}
	if Trial.Section() != "" {
		t.Error("a test notice has no section")
	}
}

// The words that a definition may use are the words that are understood here.
func TestConditionsAreTheDefinitions(t *testing.T) {
	want := slices.Sorted(slices.Values(syncdef.Conditions))
	if diff := cmp.Diff(want, Conditions()); diff != "" {
		t.Error(diff)
	}
}

// A book stays a small item, and what it does not take is recorded.
func TestBooksStaySmall(t *testing.T) {
	many := make([]string, 50)
	for i := range many {
		many[i] = strings.Repeat("a", 200) + "@acme.example"
	}
	var subs []Subscription
	for range 10 {
		subs = append(subs, Subscription{To: Recipient{Type: "email", Addresses: many}})
	}
	b := Book{Sync: "sf_health"}
	at := noon
	for i := range 20 {
		s := seen(func(s *Seen) { s.Last.Failed = i%2 == 0 })
		s.Success = at
		notices, open := Judge(s, b.Open, at, DefaultPolicy)
		b.Post(notices, subs, open)
		for _, l := range b.Due(at) {
			b.Settle(l, at, strings.Repeat("x", 500))
		}
		at = at.Add(time.Hour)
	}
	text, err := json.Marshal(b)
	if err != nil || len(text) > 100_000 {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	if len(b.Outbox) == 0 || !slices.ContainsFunc(b.Sent, func(d Delivery) bool { return d.Failure == "too many notices wait to be sent" }) {
		t.Errorf("%d letters wait, %d are recorded", len(b.Outbox), len(b.Sent))
	}
}

// Each section about an alert says where it is seen, what to check, what mends it and
// when it ends, and has the command that the alert quotes.
func TestSectionsSayWhatToDo(t *testing.T) {
	text, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(text), "\n### Alert: ")[1:]
	if len(parts) < len(Kinds) {
		t.Errorf("%d sections about %d kinds", len(parts), len(Kinds))
	}
	bodies := map[string]string{}
	for _, part := range parts {
		name, body, _ := strings.Cut(part, "\n")
		body, _, _ = strings.Cut(body, "\n#")
		bodies[name] = body
		for _, label := range []string{"Seen", "Check", "Mend", "Ends"} {
			if strings.Count(body, "\n- **"+label+"**: ") != 1 {
				t.Errorf("section %s has no line %s", name, label)
			}
		}
	}
	placeholder := strings.NewReplacer("sf_health.r1", "RUN", "sf_health.r2", "RUN", "sf_health", "SYNC", "crm", "NAME")
	for _, n := range everyAlert() {
		for _, quoted := range []string{n.Look, n.Mend} {
			if command := "`" + placeholder.Replace(quoted) + "`"; !strings.Contains(bodies[string(n.Kind)], command) {
				t.Errorf("section %s does not say %s, which the alert quotes", n.Kind, command)
			}
		}
	}
}

// everyAlert is a notice of each kind.
func everyAlert() (out []Notice) {
	all := seen(func(s *Seen) {
		s.Last.Failed, s.Hour, s.Matches = true, Rows{Received: 10, Lost: 10}, Rows{Received: 100, Lost: 100}
		s.Success = noon.Add(-100 * time.Hour)
		s.Last.Resends, s.Halt = true, Halt{Since: noon.Add(-time.Hour), Reason: "no such column 'X__c'"}
		s.Blocked, s.Missed.At = &Run{ID: "sf_health.r2", Reason: "blocked"}, noon.Add(-time.Hour)
		s.Counted = Counts{Run: "sf_health.r1", Rows: 1, Before: []int64{1000}}
		s.Spent, s.Dead, s.Exhausted = Spent{Share: 1, Calls: 1, Per: 24 * time.Hour}, 1, 1
		s.Drift, s.Records = []string{"no field X__c"}, Records{Compared: 10, Differ: 1, Missing: 1}
		s.Pause = Pause{Since: noon.Add(-time.Hour), Person: true}
	})
	out, _ = Judge(all, nil, noon, DefaultPolicy)
	all.Last.Failed, all.Last.Partial, all.Pause.Person = false, true, false
	rest, _ := Judge(all, nil, noon, DefaultPolicy)
	for _, n := range rest {
		if n.Kind == RunPartial || n.Kind == Paused {
			out = append(out, n)
		}
	}
	return out
}

// Every kind is among those that the sections were held against.
func TestEveryAlertIsRaised(t *testing.T) {
	raised := map[Kind]bool{}
	for _, n := range everyAlert() {
		raised[n.Kind] = n.Look != "" && n.Mend != ""
	}
	for _, k := range Kinds {
		if !raised[k] {
			t.Errorf("%s is not raised, or names no command", k)
		}
	}
}
