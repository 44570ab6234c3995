package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// removed is what became of one record at its destination.
type removed struct {
	Connection string `json:"connection"`
	Object     string `json:"object"`
	ID         string `json:"id,omitempty"`
	Removed    bool   `json:"removed"`
	Do         string `json:"do,omitempty"` // where it is still there: why, and what to do
}

// remove removes records at their destinations, where the syncs' operation does so, and
// says of the others what is to be done.
func (c forgetCmd) remove(ctx context.Context, s program, out *forgotten) error {
	for _, k := range out.Found.Syncs {
		for _, h := range k.Records {
			r := removed{Connection: h.Version.Definition.Connection, Object: h.Version.Definition.Object, ID: h.ID, Removed: h.Removed}
			if !r.Removed {
				why, err := c.removeOne(ctx, s, h)
				if err != nil {
					return err
				}
				if r.Removed = why == ""; !r.Removed {
					r.Do = why
				}
			}
			if !slices.Contains(out.Removed, r) {
				out.Removed = append(out.Removed, r)
			}
		}
	}
	return nil
}

// removals says, a line a place, which records are asked to be removed where, by the
// destination's ids: before anybody agrees to it.
func (c forgetCmd) removals(s program, records []runs.Held) (lines []string) {
	ids := map[string][]string{} // by where, and what becomes of them
	for _, h := range records {
		if h.Removed || c.kept(s, h) != "" {
			continue
		}
		d := &h.Version.Definition
		where := fmt.Sprintf("%s in %s (%s): %s", d.OnDelete, s.known.title(h.Version.Rules.Type), d.Connection, d.Object)
		ids[where] = append(ids[where], cmp.Or(cut(h.ID, shownID), "one whose id is not known"))
	}
	for _, where := range slices.Sorted(maps.Keys(ids)) {
		lines = append(lines, "will "+where+" "+strings.Join(cutList(ids[where], shownIDs), ", "))
	}
	return lines
}

// What is shown of records: how many, and how much of an id.
const (
	shownIDs = 5
	shownID  = 40
)

// byHand is what is to be done where a record stays.
func byHand(s program, h runs.Held) string {
	return fmt.Sprintf("delete it in %s, or push a row of it whose sync_action is delete", s.known.title(h.Version.Rules.Type))
}

// kept says why a record is not asked to be removed, and what is to be done; "" where it is.
func (c forgetCmd) kept(s program, h runs.Held) string {
	d, kind := &h.Version.Definition, h.Version.Rules.Type
	_, known := s.known.find(kind)
	switch {
	case d.Operation != syncdef.Delete && d.Mirror == nil:
		return byHand(s, h)
	case d.OnDelete == "":
		return "delete it in " + s.known.title(kind) + ", by hand: nothing is removed there through its API"
	case c.StoredOnly, !known:
		return byHand(s, h)
	}
	return ""
}

// removeOne removes one record; why says what is left to be done, "" nothing.
func (c forgetCmd) removeOne(ctx context.Context, s program, h runs.Held) (why string, err error) {
	if why := c.kept(s, h); why != "" {
		return why, nil
	}
	d := &h.Version.Definition
	to, _ := s.known.find(h.Version.Rules.Type)
	worker, done, err := c.remover(s, to.Vendor)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, done()) }()
	why, err = worker.Remove(ctx, h.Version, h.Target, h.Entry)
	if errors.Is(err, deliver.ErrUnreached) {
		err = fmt.Errorf("%s, %s: %w", d.Connection, d.Object, err)
	}
	if why != "" {
		why += ": " + byHand(s, h)
	}
	return why, err
}

// remover is the worker that removes records of a type; the function closes what was opened
// for it.
func (c forgetCmd) remover(s program, v dest.Vendor) (*deliver.Deliver, func() error, error) {
	if c.place != nil {
		return c.place.Worker(v, c.place.Secrets(ownSecret)), func() error { return nil }, nil
	}
	return c.worker(s, v)
}

// undone says how far it came: what is stored may be there still, and what was removed at
// destinations is gone.
func (c forgetCmd) undone(s program, out *forgotten, err error) error {
	if !c.JSON {
		for _, r := range out.Removed {
			if r.Removed {
				c.tellOne(s, r)
			}
		}
	}
	switch {
	case out.Deleted:
		return err
	case errors.Is(err, deliver.ErrUnreached):
		return fmt.Errorf("nothing that Penstock stores is deleted: %w; mend that and run the same command again, or pass --stored-only", err)
	}
	return fmt.Errorf("not all of it is deleted: %w; run the same command again, it finds the rest", err)
}

// tellOne prints what became of one record at its destination.
func (c forgetCmd) tellOne(s program, r removed) {
	name := r.Object + " " + r.ID
	if r.ID == "" {
		name = r.Object + ", whose id the destination did not tell"
	}
	if r.Removed {
		fmt.Fprintln(s.out, wrapped("  ", fmt.Sprintf("%s: %s is not there any more", r.Connection, name)))
		return
	}
	fmt.Fprintln(s.out, wrapped("  ", fmt.Sprintf("%s: %s is still there: %s", r.Connection, name, r.Do)))
}
