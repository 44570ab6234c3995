package deliver

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pipeline/version"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/verify"
)

// Look reads what the destination holds of rows that a push would send. It stores nothing
// but the tokens that its calls take out of the connection's share (I7): it neither probes
// a connection that failed nor pins or pauses one. What is not read is told in Stopped; the
// error is our storage's.
func (d *Deliver) Look(ctx context.Context, q verify.Look) (verify.Looked, error) {
	out := verify.Looked{Found: make([]verify.Found, len(q.Rows))}
	program, err := d.versions.Of(q.Version)
	if err != nil {
		return out, err
	}
	a := d.connection(q.Version.Definition.Connection)
	if err := a.refresh(ctx); err != nil {
		return out, err
	}
	l := &looking{verifier: verifier{d: d, a: a, yield: a.ease, q: verify.Request{Sync: q.Version.Definition.Sync, Patience: q.Patience}, current: q.Version}, q: q, program: program, found: out.Found}
	out.Stopped, err = l.run(ctx)
	if l.end != nil {
		out.Calls = l.account.APICalls() - l.before
	}
	return out, err
}

// A looking is one Look under way; of its verifier it uses how calls are paid for.
type looking struct {
	verifier
	q       verify.Look
	program *version.Compiled
	account dest.Account
	end     dest.Destination
	before  int64 // calls that the account had made
	found   []verify.Found
}

// run looks up and reads, as far as it may.
func (l *looking) run(ctx context.Context) (stopped string, err error) {
	if stopped, err = l.open(ctx); stopped != "" || err != nil {
		return stopped, err
	}
	ctx, cancel := l.d.before(ctx)
	defer cancel()
	leave, entered := l.a.enter(ctx)
	if !entered {
		return "there was no time to read", nil
	}
	defer leave()
	ids := make([]string, len(l.q.Rows))
	err = guarded(func() error { return l.lookUp(ctx, ids) })
	if err == nil {
		err = guarded(func() error { return l.read(ctx, ids) })
	}
	l.a.settleUp()
	if err != nil {
		return l.why(ctx, err)
	}
	return "", nil
}

// open opens the version at the account, if that may be asked now.
func (l *looking) open(ctx context.Context) (stopped string, err error) {
	def := &l.q.Version.Definition
	opened, failed := l.a.vendor()
	if failed != nil {
		return failed.Message, nil
	}
	var reads bool
	if l.reader, reads = opened.(dest.Reader); !reads {
		return ErrUnknowable.Error(), nil
	}
	if why := syncdef.PersonalRefused(def, &l.a.stored.Connection); why != "" {
		return why, nil
	}
	s, err := l.d.Connections.Pace(ctx, l.a.name)
	if err != nil {
		return "", fmt.Errorf("read the state of connection %q: %w", l.a.name, err)
	}
	if _, probe, wait := s.May(l.d.Now()); probe || wait > 0 {
		return fmt.Sprintf("the connection %q is paused", l.a.name), nil
	}
	before := opened.APICalls()
	moved, failed, err := l.a.check(ctx, false)
	switch {
	case err != nil:
		return "", err
	case failed != nil:
		return failed.Message, nil
	case moved:
		return errMoved.Error(), nil
	}
	end, err := opened.Open(l.q.Version)
	if err != nil {
		return callError(err).Message, nil
	}
	l.account, l.end, l.before = opened, end, before
	return "", nil
}

// lookUp finds the records whose ids are not known, by the call that is made before a
// removal: it is the one that every vendor makes whatever the operation, and it reads.
func (l *looking) lookUp(ctx context.Context, ids []string) error {
	b := dest.Batch{Run: l.q.Version.Definition.Sync}
	var of []int
	for i, w := range l.q.Rows {
		if ids[i] = w.ID; w.ID == "" {
			b.Records = append(b.Records, dest.Record{Key: w.Key, Match: w.Match, RecordID: w.RecordID, Delete: true})
			of = append(of, i)
		}
	}
	if len(of) == 0 || l.q.Version.Definition.Match.Destination == "" {
		return nil
	}
	for _, call := range l.end.Lookups(b) {
		for _, c := range call.Costs {
			if err := l.spend(ctx, c); err != nil {
				return err
			}
		}
		got, err := l.end.Lookup(ctx, b, call)
		if err != nil {
			return err
		}
		for n, at := range call.Records {
			i, f := of[at], &l.found[of[at]]
			switch o := got[n]; {
			case o.Status == dest.Found, o.Status == dest.Rejected && o.ID != "": // a push would write it
				ids[i] = o.ID
			case o.Status == dest.Delivered, o.Status == dest.Pending:
				f.Standing = verify.Absent
			case o.Status == dest.Rejected:
				f.Standing, f.Refusal = verify.Refuses, &row.Fault{Rule: dest.ErrorCode(o.Code), Field: o.Field, Message: dest.Message(o.Message)}
			}
		}
	}
	return nil
}

// read reads the records that are known, in calls of full size.
func (l *looking) read(ctx context.Context, ids []string) error {
	at := map[string][]int{}
	var distinct []string // a vendor may refuse a call that names one twice
	for i, id := range ids {
		if id == "" {
			continue
		}
		if at[id] == nil {
			distinct = append(distinct, id)
		}
		at[id] = append(at[id], i)
	}
	if len(distinct) == 0 {
		return nil
	}
	w := &written{program: l.program, names: l.program.Mapping.Names()}
	w.fields.Identity = l.q.Version.Rules.Identity
	tells, err := l.reader.Readable(ctx, &l.q.Version.Definition, w.names, l.spend)
	if err != nil {
		return err
	}
	for i, name := range w.names {
		f := verify.Field{Name: name, Why: tells[i].Why, Trims: tells[i].Trims, Empty: tells[i].Empty, Also: tells[i].Also}
		f.Match = w.matches(name)
		if l.q.Skip[name] {
			f.Why = "it is not to be seen"
		}
		w.fields.Of = append(w.fields.Of, f)
	}
	mapper := l.program.Get()
	defer l.program.Put(mapper)
	w.fields.Form = mapper.ReadBack
	for page := range slices.Chunk(distinct, l.reader.ReadSize()) {
		kept, err := l.reader.Read(ctx, &l.q.Version.Definition, w.shown(), page, l.spend)
		if err != nil {
			return err
		}
		for n, id := range page {
			for _, i := range at[id] {
				l.found[i] = w.stands(&kept[n], &l.q.Rows[i])
			}
		}
	}
	return nil
}

// stands is what a record that was read says of a row.
func (w *written) stands(k *dest.Kept, of *verify.Wanted) verify.Found {
	switch {
	case k.Gone:
		return verify.Found{Standing: verify.Absent}
	case k.Refused:
		return verify.Found{}
	}
	f := verify.Found{Standing: verify.There, Values: make([]jsontext.Value, len(w.names)), Holds: make([]bool, len(w.names))}
	next := 0
	for i := range w.fields.Of {
		if w.fields.Of[i].Why != "" {
			continue
		}
		if v := k.Values[next]; v != nil {
			f.Values[i] = slices.Clone(v)
			f.Holds[i] = w.program.Mapping.Comparable(i) == "" && w.fields.Holds(i, of, v)
		}
		next++
	}
	return f
}

// why is an error of asking as what is told of it; err is our storage's.
func (l *looking) why(ctx context.Context, failure error) (stopped string, err error) {
	stopped, err = l.verifier.why(ctx, failure)
	if call, is := errors.AsType[*dest.CallError](err); is {
		return call.Message, nil
	}
	return stopped, err
}
