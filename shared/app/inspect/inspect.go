// Package inspect asks the accounts of connections about themselves: whether a
// definition fits its object, what fields an object has, and what a connection lacks.
// It opens accounts and makes their cheap calls; it writes nothing anywhere.
package inspect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/metadata"
)

// patience is how long an account may take to answer one question: a person waits.
const patience = 20 * time.Second

// An Asker asks accounts, each opened once. It is for one command: what an account said
// of its connection is not asked for again.
type Asker struct {
	Vendors []dest.Vendor
	// Open makes the account of a connection; its error says why it cannot be asked.
	Open func(v dest.Vendor, c syncdef.Connection) (dest.Account, error)
	// Flags are those that a command which is said as a remedy needs for the same state, as
	// " --stack prod"; "" for none.
	Flags string

	opened map[string]*opened // by connection
}

// opened is an account, or why there is none.
type opened struct {
	vendor   dest.Vendor
	account  dest.Account
	identity string
	err      error
}

// account opens a connection's account and logs in.
func (a *Asker) account(ctx context.Context, c syncdef.Connection) *opened {
	if o := a.opened[c.Name]; o != nil {
		return o
	}
	if a.opened == nil {
		a.opened = map[string]*opened{}
	}
	o := &opened{}
	a.opened[c.Name] = o
	for _, v := range a.Vendors {
		if v.Name == c.Type {
			o.vendor = v
		}
	}
	if o.vendor.Open == nil {
		o.err = fmt.Errorf("there is no destination type %q", c.Type)
		return o
	}
	if o.account, o.err = a.Open(o.vendor, c); o.err != nil {
		return o
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	o.identity, o.err = o.account.Identity(limited)
	return o
}

// Checked is what an account says of a definition.
type Checked struct {
	metadata.Report
	// Untold says why the account said nothing; "" when it did.
	Untold string
	// None says that the vendor has nothing to tell: Untold is no failure.
	None bool
}

// Check holds a sound definition against its connection's account. The error is the
// context's.
func (a *Asker) Check(ctx context.Context, d syncdef.Definition, c syncdef.Connection) (Checked, error) {
	o := a.account(ctx, c)
	if ctx.Err() != nil {
		return Checked{}, ctx.Err()
	}
	if o.err != nil {
		return Checked{Untold: why(o.err)}, nil
	}
	inspector, can := o.account.(dest.Inspector)
	if !can {
		return Checked{None: true, Untold: silent(o.vendor)}, nil
	}
	object, err := a.describe(ctx, inspector, &d)
	switch {
	case ctx.Err() != nil:
		return Checked{}, ctx.Err()
	case absent(err):
		const key = "destination_object"
		return Checked{Report: metadata.Report{Faults: []syncdef.Fault{{Path: key, Message: key + ": " + noObject(ctx, inspector, d.Object, err)}}}}, nil
	case err != nil:
		return Checked{Untold: why(err)}, nil
	}
	return Checked{Report: metadata.Check(&d, object)}, nil
}

// silent says of a vendor that it shows no metadata.
func silent(v dest.Vendor) string {
	return v.Title + " shows no metadata: there is nothing to check against, and rows are judged one by one"
}

func (a *Asker) describe(ctx context.Context, i dest.Inspector, d *syncdef.Definition) (*metadata.Object, error) {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return i.Describe(limited, d)
}

// absent reports whether an object is not there, or not for the connection's user.
func absent(err error) bool {
	call, is := errors.AsType[*dest.CallError](err)
	return is && call.Class == dest.Configuration && call.Scope == dest.ScopeVersion
}

// noObject says that an object is not there, and which one may be meant.
func noObject(ctx context.Context, i dest.Inspector, object string, err error) string {
	message := why(err)
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if names, err := i.Objects(limited); err == nil { // else the first error says enough
		if near := syncdef.Nearest(object, names); near != "" && !strings.EqualFold(near, object) {
			message += "; did you mean " + near + "?"
		}
	}
	return message
}

// why is an error towards people, without the operation that a CallError begins with.
func why(err error) string {
	if call, is := errors.AsType[*dest.CallError](err); is {
		return call.Message
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("no answer within %d seconds", int(patience.Seconds()))
	}
	return err.Error()
}

// Object asks what an object's fields are. The error says what to do.
func (a *Asker) Object(ctx context.Context, c syncdef.Connection, object string) (*metadata.Object, error) {
	inspector, err := a.inspector(ctx, c)
	if err != nil {
		return nil, err
	}
	if v := a.account(ctx, c).vendor; v.Objects != nil && !slices.Contains(v.Objects, object) {
		return nil, fmt.Errorf("%s has no object %q; it has: %s", v.Title, object, strings.Join(v.Objects, ", "))
	}
	o, err := a.describe(ctx, inspector, &syncdef.Definition{Object: object})
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case absent(err):
		return nil, errors.New(noObject(ctx, inspector, object, err))
	case err != nil:
		return nil, errors.New(why(err))
	}
	return o, nil
}

// Objects lists the objects that the account shows; nil where the vendor lists none.
func (a *Asker) Objects(ctx context.Context, c syncdef.Connection) ([]string, error) {
	inspector, err := a.inspector(ctx, c)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	names, err := inspector.Objects(limited)
	if err != nil {
		return nil, errors.New(why(err))
	}
	return names, nil
}

func (a *Asker) inspector(ctx context.Context, c syncdef.Connection) (dest.Inspector, error) {
	o := a.account(ctx, c)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case o.err != nil:
		return nil, fmt.Errorf("connection %s cannot be asked: %s", c.Name, why(o.err))
	}
	inspector, can := o.account.(dest.Inspector)
	if !can {
		return nil, errors.New(silent(o.vendor))
	}
	return inspector, nil
}
