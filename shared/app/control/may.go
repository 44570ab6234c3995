package control

import (
	"cmp"
	"context"
	"errors"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/wire"
)

// A right is what a function needs of the allow of the sync that it is about.
type right struct {
	has  func(*syncdef.Allow, row.Caller) bool
	what string // for people
	list string // the key that would name the role
}

var (
	govern = right{(*syncdef.Allow).MayPush, "do this", "push"}
	read   = right{(*syncdef.Allow).MayReadErrors, "read its errors", "errors"}
	see    = right{(*syncdef.Allow).MaySee, "see it", "push or allow.errors"}
)

// rights are the functions' needs. One that is not here needs the right to push, so
// that a new function is closed until somebody has thought about it.
var rights = map[string]right{wire.Status: see, wire.Freshness: see, wire.Errors: read}

// may refuses a call of somebody who may not make it. A sync that the caller may not
// see is told as one that does not exist.
func (h *Handler) may(ctx context.Context, caller row.Caller, function string, c wire.Call) error {
	if function == wire.Syncs {
		return nil // lists what the caller may see
	}
	return h.mayAbout(ctx, caller, function, cmp.Or(c.Text(wire.Sync), c.Text(wire.Run), c.Text(wire.Target)))
}

// mayPlan is may for rows of a sync.
func (h *Handler) mayPlan(ctx context.Context, caller row.Caller, sync string) error {
	if run.IsID(sync) {
		return row.Refuse("penstock_plan(sync, row): %q is a run: name a sync", shorten(sync))
	}
	return h.mayAbout(ctx, caller, wire.Plan, sync)
}

// mayAbout judges a call about a sync, or a run of it, by its name.
func (h *Handler) mayAbout(ctx context.Context, caller row.Caller, function, name string) error {
	if !run.IsName(name) {
		return unseen(function, caller, name)
	}
	if caller.Owner {
		return nil
	}
	need, listed := rights[function]
	if !listed {
		need = govern
	}
	if run.SyncOf(name) == run.UnreadableSync {
		return h.mayReadAll(ctx, caller, function, name)
	}
	allow, err := h.Control.Allow(ctx, name)
	switch {
	case errors.Is(err, run.ErrNotFound):
		return unseen(function, caller, name)
	case err != nil:
		return err
	case need.has(allow, caller):
		return nil
	case allow.MaySee(caller):
		denied := row.Refuse("%s: %s", function, syncdef.Denied(caller, run.SyncOf(name), need.what, need.list))
		if listed { // what only reads answers the message, and fails no statement over many syncs
			denied.Err = run.ErrNotFound
		}
		return denied
	}
	return unseen(function, caller, name)
}

// mayReadAll is about messages that nobody could read: what is in them may be any
// sync's, so that it is shown to those who may read the errors of all.
func (h *Handler) mayReadAll(ctx context.Context, caller row.Caller, function, name string) error {
	list, err := h.Control.ListSyncs(ctx)
	if err != nil {
		return err
	}
	for _, s := range list {
		if !s.Allow.MayReadErrors(caller) {
			return unseen(function, caller, name)
		}
	}
	return nil
}

func unseen(function string, caller row.Caller, name string) error {
	if name == "" {
		return row.Refuse("%s: the first argument is missing, null or no text: name a sync, or a run", function)
	}
	r := row.Refuse("%s: there is no sync %q, or it is not applied: run penstock apply%s", function, shorten(run.SyncOf(name)), syncdef.Unseen(caller))
	r.Err = run.ErrNotFound
	return r
}

// shorten keeps what a caller wrote in the place of a name to one readable line.
func shorten(name string) string {
	if r := []rune(name); len(r) > 140 { // more than a run's id has
		return string(r[:64]) + "…"
	}
	return name
}

// A shown sync is one of penstock_syncs, with what the caller may do with it: so that a
// statement over all syncs asks for nothing that it is refused.
type shown struct {
	runs.SyncInfo
	MayPush       bool `json:"may_push"`
	MayReadErrors bool `json:"may_read_errors"`
}

// seen are those that the caller may see, by name: those after one.
func seen(caller row.Caller, list []runs.SyncInfo, after string) []shown {
	out := make([]shown, 0, len(list))
	for _, s := range list {
		if s.Sync > after && s.Allow.MaySee(caller) {
			out = append(out, shown{s, s.Allow.MayPush(caller), s.Allow.MayReadErrors(caller)})
		}
	}
	return out
}
