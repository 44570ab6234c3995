package runs

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/mapping"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/verify"
)

// A Looker reads what the destination holds of rows, and stores nothing but the tokens of
// its calls: package deliver's Deliver.
type Looker interface {
	Look(ctx context.Context, q verify.Look) (verify.Looked, error)
}

// A Looking looks at the destination, over all batches of a plan: it reads the records of
// updates, and looks up whether what was never delivered is there. Once it was stopped it
// makes no more calls. The fields from Looked on say what came of it.
type Looking struct {
	Looker   Looker        `json:"-"`
	Most     int           `json:"-"` // how many updates and how many creates, the first ones; below 0 all
	Patience time.Duration `json:"-"` // how long a call waits for its share of the quota

	Looked  int64  `json:"rows"`  // rows of which the destination told
	Found   int64  `json:"found"` // of them, those that were never delivered, and are there
	Calls   int64  `json:"calls"`
	Stopped string `json:"stopped,omitempty"` // why not all were looked at

	taken map[Action]int
}

// wants reports whether a planned row is to be looked at. What is only ever inserted
// replaces nothing.
func (k *Looking) wants(v syncdef.Version, p *Planned) bool {
	if k == nil || k.Stopped != "" || v.Rules.Once || p.Action != Create && p.Action != Update {
		return false
	}
	if k.taken == nil {
		k.taken = map[Action]int{}
	}
	k.taken[p.Action]++
	return k.Most < 0 || k.taken[p.Action] <= k.Most
}

// A candidate is a planned row that is looked at. Its values outlive the mapper.
type candidate struct {
	verify.Wanted
	at     int  // in the plan
	whole  bool // all its fields would be sent
	known  bool // the ledger says what was delivered
	values []jsontext.Value
}

func (l *look) candidate(at int, x run.Checked, m *mapping.Mapped) candidate {
	e := l.entries[x.Key]
	c := candidate{at: at, Wanted: verify.Wanted{Key: x.Key, Match: string(m.Match), RecordID: x.RecordID, ID: e.Held.ID, Hashes: make([]uint32, len(m.Canonical))}}
	c.known = e.There() && !e.Held.Fingerprint.Void()
	c.whole = !c.known || l.full || l.again && x.Always || l.v.Definition.Send == syncdef.SendAll
	for i, v := range m.Canonical {
		c.Hashes[i] = ledger.FieldHash(v)
	}
	c.values = make([]jsontext.Value, len(m.Values))
	for i, v := range m.Values {
		c.values[i] = slices.Clone(v)
	}
	return c
}

// look asks the destination, and says in the plan what it told.
func (k *Looking) look(ctx context.Context, v syncdef.Version, l *look, out []Planned, of []candidate) error {
	if len(of) == 0 {
		return nil
	}
	q := verify.Look{Version: v, Skip: l.personal, Patience: k.Patience, Rows: make([]verify.Wanted, len(of))}
	for i := range of {
		q.Rows[i] = of[i].Wanted
	}
	got, err := k.Looker.Look(ctx, q)
	if err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	k.Calls, k.Stopped = k.Calls+got.Calls, got.Stopped
	for i := range of {
		p, f := &out[of[i].at], &got.Found[i]
		if f.Standing == verify.Untried {
			continue
		}
		k.Looked++
		l.told(p, &of[i], f)
		if p.known == Create && p.Action == Update {
			k.Found++
		}
		l.weigh(p, of[i].Key)
	}
	return nil
}

// told says in a plan what the destination told of its row.
func (l *look) told(p *Planned, c *candidate, f *verify.Found) {
	p.known, p.Destination = p.Action, f.Standing
	switch {
	case f.Standing == verify.Refuses:
		p.refuse(f.Refusal)
	case f.Standing == verify.There:
		p.Action = Update
		l.replaces(p, c, f)
	case updates(&l.v.Definition):
		match := l.v.Definition.Match.Destination
		p.refuse(&row.Fault{Rule: "no_match", Field: match, Message: fmt.Sprintf("no %s at the destination matches the row's value by %s, and the sync makes no records", l.v.Definition.Object, match)})
	default:
		p.Action, p.Fields, p.Changes = Create, nil, nil
	}
}

// refuse makes a planned row one that the destination would not take.
func (p *Planned) refuse(f *row.Fault) {
	p.Action, p.Fields, p.Changes = Refused, nil, nil
	p.Field, p.Type, p.Message = f.Field, f.Rule, f.Message
}

// replaces notes which values an update would replace: those of the fields that differ
// from what was delivered, and where all are sent of those too that differ from what the
// destination holds, or that it does not show of a record that was never delivered.
func (l *look) replaces(p *Planned, c *candidate, f *verify.Found) {
	delivered := p.Fields
	p.Fields, p.Changes = nil, nil
	for i, name := range l.names {
		v, holds := c.values[i], f.Holds[i] || equal(f.Values[i], c.values[i])
		if v == nil || !slices.Contains(delivered, name) && (!c.whole || holds || c.known && f.Values[i] == nil) {
			continue
		}
		x := l.change(name, v)
		if !x.Personal {
			x.Old, x.Already = f.Values[i], holds
		}
		p.Fields, p.Changes = append(p.Fields, name), append(p.Changes, x)
	}
}

// equal reports whether two values are one, however they are written.
func equal(a, b jsontext.Value) bool {
	if a == nil || b == nil {
		return false
	}
	a, b = slices.Clone(a), slices.Clone(b)
	return a.Canonicalize() == nil && b.Canonicalize() == nil && bytes.Equal(a, b)
}

// change is a value that an update would write.
func (l *look) change(name string, v jsontext.Value) Change {
	c := Change{Field: name, Personal: l.personal[name]}
	if !c.Personal {
		c.New = v
	}
	return c
}
