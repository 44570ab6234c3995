package deliver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// settingsLife is how long a connection's settings are believed: a mended url or
// quota holds soon, also for rows that are queued.
const settingsLife = time.Minute

// accounts are the connections of a process: one login, one meter and one set of
// limits each.
type accounts struct {
	mu  sync.Mutex
	all map[string]*account
}

// An account is one connection as this process knows it.
type account struct {
	d    *Deliver
	name string

	reading sync.Mutex    // one reader of the settings at a time
	probing chan struct{} // of 1: one probe at a time, after calls that failed
	mu      sync.Mutex
	stored  syncdef.Stored
	raw     string // the settings as text, to see whether they changed
	readAt  time.Time
	opened  dest.Account // nil while it cannot be opened
	failure *dest.CallError
	known   bool // the account is the one that is pinned
	ends    map[string]dest.Destination
	crowd   *crowd // its calls in flight in this process

	leases   map[string]lease
	paid     int64            // tokens that were taken for its calls
	owed     int              // tokens for calls that were made beyond those paid for
	seen     int64            // calls that were booked
	spent    map[string]int64 // to runs, and are not recorded yet, by run
	aside    int64            // calls that no run made, and are not booked yet
	most     int              // call size after a 429; 0 is the vendor's own
	answered int              // calls since it last changed
	alive    time.Time
	times    map[kind]time.Duration // what calls of a kind took lately, see took
}

// account finds a message's connection, with settings of the last minute, and the
// target that its rows go to.
func (d *Deliver) account(ctx context.Context, m *message) error {
	a := d.connection(m.version.Version.Definition.Connection)
	if err := a.refresh(ctx); err != nil {
		return err
	}
	m.account, m.target = a, a.target(m)
	if m.run.Target == "" || m.run.Target == m.target {
		return nil
	}
	// I4: the run may be begun after an acceptance that these settings do not know of;
	// delivered as before it, its rows would be missing below the mark of the new target.
	a.doubt()
	if err := a.refresh(ctx); err != nil {
		return err
	}
	m.target = a.target(m)
	return nil
}

// connection is a connection by its name, as this process knows it.
func (d *Deliver) connection(name string) *account {
	d.accounts.mu.Lock()
	defer d.accounts.mu.Unlock()
	a := d.accounts.all[name]
	if a == nil {
		a = &account{d: d, name: name, ends: map[string]dest.Destination{}, crowd: &crowd{}, probing: make(chan struct{}, 1), leases: map[string]lease{}, spent: map[string]int64{}}
		if d.accounts.all == nil {
			d.accounts.all = map[string]*account{}
		}
		d.accounts.all[name] = a
	}
	return a
}

// target is where a message's rows go by the settings as they were read last.
func (a *account) target(m *message) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return m.version.Target(a.stored.Epoch)
}

// targetOf is where a version's rows go by them.
func (a *account) targetOf(v *syncdef.Version) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return ledger.Target(&v.Definition, &v.Rules, a.stored.Epoch)
}

// refresh reads the settings when they are older than a minute, or doubted since a
// failure, and opens the account anew when they have changed.
func (a *account) refresh(ctx context.Context) error {
	a.reading.Lock()
	defer a.reading.Unlock()
	now := a.d.Now()
	a.mu.Lock()
	fresh := !a.readAt.IsZero() && now.Sub(a.readAt) < settingsLife && !now.Before(a.readAt)
	a.mu.Unlock()
	if fresh {
		return nil
	}
	stored, err := a.d.Connections.Connection(ctx, a.name)
	if err != nil && !errors.Is(err, run.ErrNotFound) {
		return fmt.Errorf("read connection %q: %w", a.name, err)
	}
	missing := err != nil
	raw, err := json.Marshal(stored)
	if err != nil {
		return fmt.Errorf("connection %q: %w", a.name, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.readAt = now
	if string(raw) == a.raw && !missing && a.failure == nil {
		return nil
	}
	pinned := a.stored
	pinned.Account = stored.Account
	keep := a.opened != nil && !missing && a.stored.Account == "" && reflect.DeepEqual(pinned, stored) // somebody pinned it: it stays open
	a.stored, a.raw, a.known = stored, string(raw), false
	if !keep {
		a.open(missing)
	}
	return nil
}

// open makes the vendor's account of the settings; a.mu is held.
func (a *account) open(missing bool) {
	a.opened, a.failure, a.ends = nil, nil, map[string]dest.Destination{}
	a.paid, a.seen, a.owed, a.aside, a.times = 0, 0, 0, 0, map[kind]time.Duration{}
	c := a.stored.Connection
	var err error
	switch {
	case missing:
		err = fmt.Errorf("the connection %q is not stored: run penstock apply with a connections.yaml that has it", a.name)
	case c.Type != a.d.Queue:
		err = fmt.Errorf("the connection %q has type %q, and this worker delivers to %s only: apply the sync again", a.name, c.Type, a.d.Queue)
	default:
		a.opened, err = a.d.Open(c)
	}
	if err != nil {
		a.opened = nil
		if !errors.As(err, &a.failure) {
			a.failure = &dest.CallError{Op: "open the connection", Class: dest.Configuration, Code: "configuration", Message: err.Error()}
		}
		a.failure.Scope = dest.ScopeConnection
		return
	}
	a.crowd = &crowd{limit: a.opened.Limits().InFlight}
}

// enter takes a place among this process's calls in flight, and answers how to leave it.
func (a *account) enter(ctx context.Context) (leave func(), entered bool) {
	s, entered := a.seat(ctx)
	if !entered {
		return nil, false
	}
	return s.leave, true
}

// seat is enter for a call that learns how many there may be; settings that are read
// meanwhile make other places.
func (a *account) seat(ctx context.Context) (*seat, bool) {
	a.mu.Lock()
	c := a.crowd
	a.mu.Unlock()
	return c.enter(ctx)
}

// settings are those that were read last, as they are stored.
func (a *account) settings() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.raw
}

// doubt makes the next refresh read the settings again.
func (a *account) doubt() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.readAt = time.Time{}
}

// vendor is the opened account, or why there is none.
func (a *account) vendor() (dest.Account, *dest.CallError) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.opened, a.failure
}

// errMoved says that the settings were read anew since a message's target was found, or
// since the account was compared with the pinned one: another may be accepted since, whose
// ledger is another one, or they lead to one that is not.
var errMoved = errors.New("the connection's account has changed")

// codePersonal is the code of versions whose connection does not allow their personal
// data any more.
const codePersonal = "personal_not_allowed"

// end is a version's end of the road at this account; errMoved.
func (a *account) end(m *message) (dest.Destination, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.known || m.version.Target(a.stored.Epoch) != m.target {
		return nil, errMoved
	}
	v := m.version.Version
	id := v.Definition.Sync + "/" + v.ID
	if e, ok := a.ends[id]; ok {
		return e, nil
	}
	if why := syncdef.PersonalRefused(&v.Definition, &a.stored.Connection); why != "" {
		return nil, &dest.CallError{Op: "open sync " + v.Definition.Sync, Class: dest.Configuration, Scope: dest.ScopeVersion, Code: codePersonal, Message: why}
	}
	e, err := a.opened.Open(v)
	if err != nil {
		return nil, err
	}
	a.ends[id] = e
	return e, nil
}

// callError is an error of a destination as a CallError: what it did not class is
// an outage whose scope is to be found out, and was received unless nothing was sent.
func callError(err error) *dest.CallError {
	var failed *dest.CallError
	if errors.As(err, &failed) {
		plain := *failed
		plain.Op, plain.Code, plain.Message = dest.Message(plain.Op), dest.ErrorCode(plain.Code), dest.Message(plain.Message)
		return &plain
	}
	return &dest.CallError{Op: "call the destination", Class: dest.Unavailable, Code: dest.NoAnswer, Message: err.Error(), Received: !unsent(err)}
}

// unsent reports whether a destination's error is its context's own, which says that nothing
// was sent. One that is wrapped may have come after something was.
func unsent(err error) bool {
	return err == context.Canceled || err == context.DeadlineExceeded //nolint:errorlint // a wrapped one is another
}
