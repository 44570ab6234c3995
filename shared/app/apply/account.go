package apply

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// patience is how long an account may take to answer: a person waits.
const patience = 10 * time.Second

// Accounts asks the accounts of connections what the rules of identity depend on.
// It is for one apply: what an account said is not asked for again.
type Accounts struct {
	Vendors []dest.Vendor
	// Open makes the account of a connection; its error says why it cannot be asked.
	Open func(v dest.Vendor, c syncdef.Connection) (dest.Account, error)
	// Current is the applied version of a sync, run.ErrNotFound where there is none.
	Current func(ctx context.Context, sync string) (syncdef.Version, error)

	opened map[string]dest.Describer // by connection
	silent map[string]error          // connections that gave no answer
}

// Rules gives the rules of a definition, with what the account says of its match
// field. Where match.case or match.data_type say it, the account must not contradict:
// that is a syncdef.Fault. An account that cannot be asked is no error: what an
// applied version with the same match knows is kept, else the rules hold as they
// are, and note says so.
func (a *Accounts) Rules(ctx context.Context, d syncdef.Definition, rules syncdef.Rules, c syncdef.Connection) (_ syncdef.Rules, note string, err error) {
	vendor, ok := a.vendor(c.Type)
	if !ok || vendor.AsksAccount == nil || !vendor.AsksAccount(&d) {
		return rules, "", nil
	}
	field, err := a.ask(ctx, vendor, &d, c)
	switch {
	case err == nil && field.Known:
		rules, err = told(vendor, d, c, field)
		return rules, "", err
	case ctx.Err() != nil:
		return rules, "", ctx.Err()
	}
	why := fmt.Sprintf("%s of connection %q shows no field %s.%s", vendor.Title, c.Name, d.Object, d.Match.Destination)
	if err != nil {
		why = fmt.Sprintf("the account of connection %q cannot be asked what kind of field %s.%s is (%v)", c.Name, d.Object, d.Match.Destination, err)
	}
	kept, err := a.kept(ctx, d)
	switch {
	case err != nil:
		return rules, "", err
	case kept != nil && reflect.DeepEqual(kept.Identity, rules.Identity):
		return rules, "", nil
	case kept != nil:
		rules.Identity = kept.Identity
		return rules, fmt.Sprintf("sync %q: %s: what the applied version knows of it holds", d.Sync, why), nil
	case rules.Identity.CaseUnsure:
		return rules, fmt.Sprintf("sync %q: %s: rows that equal another only by case are rejected until match.case says whether case counts, or it is applied where the account can be asked", d.Sync, why), nil
	}
	return rules, "", nil
}

func (a *Accounts) vendor(kind string) (dest.Vendor, bool) {
	for _, v := range a.Vendors {
		if v.Name == kind {
			return v, true
		}
	}
	return dest.Vendor{}, false
}

// ask asks the account, once after it has been silent.
func (a *Accounts) ask(ctx context.Context, v dest.Vendor, d *syncdef.Definition, c syncdef.Connection) (dest.MatchField, error) {
	if a.opened == nil {
		a.opened, a.silent = map[string]dest.Describer{}, map[string]error{}
	}
	if err := a.silent[c.Name]; err != nil {
		return dest.MatchField{}, err
	}
	account := a.opened[c.Name]
	if account == nil {
		opened, err := a.Open(v, c)
		describer, can := opened.(dest.Describer)
		if err == nil && !can {
			err = fmt.Errorf("%s cannot tell", v.Title)
		}
		if err != nil {
			a.silent[c.Name] = err
			return dest.MatchField{}, err
		}
		account = describer
		a.opened[c.Name] = account
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	field, err := account.MatchField(limited, d)
	var call *dest.CallError
	if err != nil && (!errors.As(err, &call) || call.Scope == dest.ScopeConnection || call.Class == dest.Unavailable) {
		a.silent[c.Name] = err
	}
	return field, err
}

// told are the rules of a definition whose match field is known.
func told(v dest.Vendor, d syncdef.Definition, c syncdef.Connection, field dest.MatchField) (syncdef.Rules, error) {
	m, name := &d.Match, d.Object+"."+d.Match.Destination
	fault := func(path, format string, args ...any) (syncdef.Rules, error) {
		return syncdef.Rules{}, syncdef.Faults{{File: fmt.Sprintf("sync %q", d.Sync), Path: path, Message: path + ": " + fmt.Sprintf(format, args...)}}
	}
	switch {
	case m.DataType != "" && field.Type != "" && m.DataType != field.Type:
		return fault("match.data_type", "%s, but %s of connection %q holds a %s: write data_type: %s, or leave it out", m.DataType, name, c.Name, field.Type, field.Type)
	case m.Case != nil && (field.Type == syncdef.MatchNumber || field.Type == syncdef.MatchID):
		return fault("match.case", "it has no use: %s of connection %q holds a %s; leave it out", name, c.Name, field.Type)
	case m.Case != nil && *m.Case && !field.Case && field.Type == syncdef.MatchText:
		return fault("match.case", "true, but %s of connection %q compares texts without regard to case: leave it out, or make the field unique and case-sensitive", name, c.Name)
	case m.Case != nil && !*m.Case && field.Case:
		return fault("match.case", "false, but %s of connection %q is case-sensitive: leave it out, or write case: true", name, c.Name)
	}
	if m.DataType == "" {
		m.DataType = field.Type
	}
	if m.Case == nil && field.Type == syncdef.MatchText {
		m.Case = &field.Case
	}
	return v.RulesOf(&d, &c), nil
}

// kept are the rules of the applied version, where these follow from the same match
// and were not unsure; nil otherwise.
func (a *Accounts) kept(ctx context.Context, d syncdef.Definition) (*syncdef.Rules, error) {
	old, err := a.Current(ctx, d.Sync)
	if errors.Is(err, run.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read sync %q: %w", d.Sync, err)
	}
	same := ledger.Target(&old.Definition, &old.Rules, 0) == ledger.Target(&d, &old.Rules, 0) && old.Definition.Object == d.Object &&
		old.Definition.Match.DataType == d.Match.DataType && equal(old.Definition.Match.Case, d.Match.Case)
	if !same || old.Rules.Identity.CaseUnsure {
		return nil, nil
	}
	return &old.Rules, nil
}

func equal(a, b *bool) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }
