package inspect

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/metadata"
)

// A Verdict is what became of one step of a test.
type Verdict string

// The verdicts. What is missing fails the test; what is a notice or not known does not.
const (
	Granted Verdict = "ok"
	Missing Verdict = "missing"
	Noticed Verdict = "notice"
	Unknown Verdict = "unknown"
)

// A Step is one thing that a test found out.
type Step struct {
	Name    string  `json:"name"` // login, account, api, a scope, object Account
	Verdict Verdict `json:"verdict"`
	Detail  string  `json:"detail,omitempty"` // what it is, or why it is missing and the remedy
	Never   bool    `json:"-"`                // the vendor never tells it: an Unknown that nobody can mend
}

// Test tries a connection: its secret, the login, which account answers (pinned is the
// one that its rows went to so far, "" for none), whether the API may be used, and what
// the syncs that use it need. It stops where nothing more can be found out. The error is
// the context's.
func (a *Asker) Test(ctx context.Context, c syncdef.Connection, pinned string, uses []syncdef.Definition) ([]Step, error) {
	var steps []Step
	add := func(name string, v Verdict, format string, args ...any) {
		steps = append(steps, Step{Name: name, Verdict: v, Detail: fmt.Sprintf(format, args...)})
	}
	o := a.account(ctx, c)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if o.err != nil {
		add(failedStep(o.err), Missing, "%s", why(o.err))
		return steps, nil
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := o.account.Probe(limited); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		name := failedStep(err)
		if name == "login" && o.identity != "" { // which it gave: the API is what it may not use
			name = "api"
			add("login", Granted, "%s takes the secret", o.vendor.Title)
		}
		add(name, Missing, "%s", why(err))
		return steps, nil
	}
	add("login", Granted, "%s takes the secret, and the API answers", o.vendor.Title)
	switch {
	case o.identity == "":
		steps = append(steps, Step{Name: "account", Verdict: Unknown, Detail: o.vendor.Title + " does not tell which account the secret is of", Never: true})
	case pinned != "" && pinned != o.identity:
		add("account", Missing, "%s, but rows went to %s so far: mend url or secret, or deliver to the new one with  penstock connect %s --accept-account%s", o.identity, pinned, c.Name, a.Flags)
	default:
		add("account", Granted, "%s", o.identity)
	}
	inspector, can := o.account.(dest.Inspector)
	if !can {
		return append(steps, Step{Name: "permissions", Verdict: Unknown, Detail: silent(o.vendor), Never: true}), nil
	}
	more, err := a.permissions(ctx, inspector, uses)
	return append(steps, more...), err
}

// failedStep names the step that a failure to reach the account belongs to.
func failedStep(err error) string {
	call, is := errors.AsType[*dest.CallError](err)
	switch {
	case !is || call.Code == "secret" || call.Code == "no_token":
		return "secret"
	case call.Class == dest.Configuration:
		return "login"
	}
	return "api"
}

// permissions are the rights of the connection's user, and what it may do with the
// objects of the syncs.
func (a *Asker) permissions(ctx context.Context, i dest.Inspector, uses []syncdef.Definition) ([]Step, error) {
	var steps []Step
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	rights, err := i.Rights(limited, uses)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		steps = append(steps, Step{Name: "permissions", Verdict: Unknown, Detail: why(err)})
	}
	for _, r := range rights {
		switch {
		case r.Missing == "":
			steps = append(steps, Step{Name: r.Name, Verdict: Granted, Detail: r.For})
		case r.Some:
			steps = append(steps, Step{Name: r.Name, Verdict: Noticed, Detail: r.For + ": " + r.Missing})
		default:
			steps = append(steps, Step{Name: r.Name, Verdict: Missing, Detail: r.For + ": " + r.Missing})
		}
	}
	for n := range uses {
		step, err := a.use(ctx, i, &uses[n])
		if err != nil {
			return nil, err
		}
		steps = append(steps, step)
	}
	return steps, nil
}

// use is what a sync's object lacks.
func (a *Asker) use(ctx context.Context, i dest.Inspector, d *syncdef.Definition) (Step, error) {
	step := Step{Name: "object " + d.Object, Verdict: Granted}
	object, err := a.describe(ctx, i, d)
	switch {
	case ctx.Err() != nil:
		return step, ctx.Err()
	case absent(err):
		step.Verdict, step.Detail = Missing, noObject(ctx, i, d.Object, err)
	case err != nil:
		step.Verdict, step.Detail = Unknown, why(err)
	}
	if err != nil {
		step.Detail = fmt.Sprintf("sync %s: %s", d.Sync, step.Detail)
		return step, nil
	}
	step.Detail = fmt.Sprintf("sync %s may %s its records", d.Sync, strings.Join(metadata.Needs(d), ", "))
	if lacks := metadata.Lacks(d, object); lacks != nil {
		step.Verdict = Missing
		step.Detail = fmt.Sprintf("sync %s: the connection's user may not %s its records: give it the permission on %s", d.Sync, strings.Join(lacks, " and "), object.Name)
		return step, nil
	}
	if faults := len(metadata.Check(d, object).Faults); faults > 0 {
		step.Verdict = Missing
		step.Detail = fmt.Sprintf("sync %s does not fit the object: see  penstock validate %[1]s --connection", d.Sync)
	}
	return step, nil
}

// Diagnose is what an account finds out about itself; nothing where it cannot be asked,
// which Test says.
func (a *Asker) Diagnose(ctx context.Context, c syncdef.Connection, uses []syncdef.Definition) []dest.Diagnosis {
	o := a.account(ctx, c)
	if o.err != nil {
		return nil
	}
	d, can := o.account.(dest.Diagnoser)
	if !can {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	found, err := d.Diagnose(limited, uses)
	if err != nil {
		return []dest.Diagnosis{{Name: "diagnosis", Detail: "not known: " + why(err)}}
	}
	return found
}
