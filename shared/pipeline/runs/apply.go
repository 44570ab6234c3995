package runs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/frequency"
)

// How far back a sync's runs are asked for rows on their way: so many runs, and no
// longer than a queue keeps a message.
const (
	lookBack = 100
	keptFor  = 14 * 24 * time.Hour
)

// Apply stores the settings of the sync's connection, and of those that its
// notifications post through, and a version, makes that the current one, and ends its
// halt. notes say what changes for the rows; a *row.Refusal says what to wait for.
func (c *Control) Apply(ctx context.Context, v syncdef.Version, settings ...syncdef.Connection) (notes []string, err error) {
	err = c.act(ctx, "apply", v.Definition.Sync, func() (string, error) {
		notes, err = c.apply(ctx, v, settings)
		return "version " + v.ID, err
	})
	return notes, err
}

func (c *Control) apply(ctx context.Context, v syncdef.Version, settings []syncdef.Connection) (notes []string, err error) {
	if err := c.MayApply(ctx, v); err != nil {
		return nil, err
	}
	if err := c.personal(ctx, &v.Definition, settings); err != nil {
		return nil, err
	}
	if notes, err = c.notes(ctx, v); err != nil {
		return nil, err
	}
	// The connections first: a version whose connection is missing would be refused.
	for _, one := range settings {
		if err := c.Connections.PutConnection(ctx, one); err != nil {
			return nil, fmt.Errorf("store connection %q: %w", one.Name, err)
		}
	}
	old, err := c.Syncs.Current(ctx, v.Definition.Sync)
	if err == nil {
		err = c.leave(ctx, old, &v)
	}
	if err != nil && !errors.Is(err, run.ErrNotFound) {
		return nil, fmt.Errorf("take over from the version before of sync %q: %w", v.Definition.Sync, err)
	}
	if err := c.Definitions.Apply(ctx, v); err != nil {
		return nil, fmt.Errorf("apply sync %q: %w", v.Definition.Sync, err)
	}
	// What halted the version may be mended by the settings: it is tried anew, and halts
	// again if not.
	if err := c.Halts.DeleteHalt(ctx, v.Definition.Sync, v.ID); err != nil {
		return nil, err
	}
	return notes, nil
}

// personal refuses a definition whose personal data its connection does not allow, as
// it will be once these settings are stored.
func (c *Control) personal(ctx context.Context, d *syncdef.Definition, settings []syncdef.Connection) error {
	if len(syncdef.PersonalColumns(d)) == 0 {
		return nil
	}
	var conn syncdef.Connection
	if i := slices.IndexFunc(settings, func(s syncdef.Connection) bool { return s.Name == d.Connection }); i >= 0 {
		conn = settings[i]
	} else if stored, err := c.Connections.Connection(ctx, d.Connection); err == nil {
		conn = stored.Connection
	} else if !errors.Is(err, run.ErrNotFound) {
		return fmt.Errorf("read connection %q: %w", d.Connection, err)
	}
	if why := syncdef.PersonalRefused(d, &conn); why != "" {
		return row.Refuse("%s", why)
	}
	return nil
}

// MayApply refuses a version that would change the number of a sync's lanes while
// rows are on their way: a key's newer value would overtake its older one in
// another lane, and a worker would have to drop it (I3).
func (c *Control) MayApply(ctx context.Context, next syncdef.Version) error {
	name := next.Definition.Sync
	old, err := c.Syncs.Current(ctx, name)
	if errors.Is(err, run.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read sync %q: %w", name, err)
	}
	from, to := old.Definition.Lanes, next.Definition.Lanes
	if from == to {
		return nil
	}
	recent, err := c.History.RecentRuns(ctx, name, lookBack)
	if err != nil {
		return fmt.Errorf("list the runs of sync %q: %w", name, err)
	}
	for _, r := range recent {
		if !r.Live() || r.Status.Ended() && c.Now().Sub(r.EndedAt) > keptFor {
			continue
		}
		t, err := c.tally(ctx, r.ID)
		if err != nil {
			return err
		}
		if t.Left() > 0 || t.Pending > 0 || !r.Status.Ended() {
			return row.Refuse("sync %q cannot go from %d to %d lanes while run %q is %s with %d rows on their way: wait until penstock_status shows it settled, then apply again, or keep lanes: %d",
				name, from, to, r.ID, r.Status, t.Left(), from)
		}
	}
	return nil
}

// notes say what an apply changes for the rows of a sync.
func (c *Control) notes(ctx context.Context, next syncdef.Version) ([]string, error) {
	name := next.Definition.Sync
	old, err := c.Syncs.Current(ctx, name)
	if errors.Is(err, run.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read sync %q: %w", name, err)
	}
	was, is := ledger.Target(&old.Definition, &old.Rules, 0), ledger.Target(&next.Definition, &next.Rules, 0)
	from, to := old.Definition.Cursor(), next.Definition.Cursor()
	switch {
	case next.Rules.Once && was == is:
		if mappingOf(old) != mappingOf(next) {
			return []string{fmt.Sprintf("sync %q inserts: a key is sent once, ever, so that rows that were sent are not sent again with the changed mapping", name)}, nil
		}
		return nil, nil
	case was != is:
		return []string{fmt.Sprintf("sync %q has another target (connection, object, match or identity): its ledger starts empty, and the next run selects all rows", name)}, nil
	case from != to && to != "":
		return []string{fmt.Sprintf("sync %q has another cursor column: its watermark starts anew, and the next run selects all rows", name)}, nil
	case mappingOf(old) != mappingOf(next):
		return []string{fmt.Sprintf("sync %q has another mapping: the next run selects all rows, and sends those that came out differently", name)}, nil
	}
	return nil, nil
}

// Remove takes a sync's current version away: it takes no more rows, and what is
// due of it is not sent.
func (c *Control) Remove(ctx context.Context, sync string) error {
	return c.act(ctx, "remove", named(sync), func() (string, error) { return "", c.remove(ctx, sync) })
}

// MayRemove refuses a sync that another one comes after, which would wait for ever, and
// names the sync's runs that go on and end by themselves, or by cancel.
func (c *Control) MayRemove(ctx context.Context, sync string) (running []string, err error) {
	if _, err := c.current(ctx, "penstock remove", sync); err != nil {
		return nil, err
	}
	after, err := c.afters(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if slices.Contains(after[name], sync) {
			return nil, row.Refuse("sync %q comes after %q: take it out of after and apply that, or remove %[1]q first", name, sync)
		}
	}
	return c.running(ctx, sync)
}

func (c *Control) remove(ctx context.Context, sync string) error {
	if _, err := c.MayRemove(ctx, sync); err != nil {
		return err
	}
	v, err := c.current(ctx, "penstock remove", sync)
	if err != nil {
		return err
	}
	if err := c.leave(ctx, v, nil); err != nil {
		return err
	}
	if err := c.Definitions.Remove(ctx, sync); err != nil {
		return fmt.Errorf("remove sync %q: %w", sync, err)
	}
	return nil
}

// AcceptAccount lets a connection deliver to another account than the pinned one,
// "" for whichever it is next: the ledgers of its syncs start empty, and their next
// runs select all rows.
func (c *Control) AcceptAccount(ctx context.Context, connection, account string) (out syncdef.Stored, err error) {
	err = c.act(ctx, "accept_account", cut(connection), func() (string, error) {
		out, err = c.acceptAccount(ctx, connection, account)
		return fmt.Sprintf("epoch %d", out.Epoch), err
	})
	return out, err
}

func (c *Control) acceptAccount(ctx context.Context, connection, account string) (syncdef.Stored, error) {
	if _, err := c.Connections.Connection(ctx, connection); errors.Is(err, run.ErrNotFound) {
		return syncdef.Stored{}, row.Refuse("there is no connection %q: run penstock apply", connection)
	} else if err != nil {
		return syncdef.Stored{}, fmt.Errorf("read connection %q: %w", connection, err)
	}
	s, err := c.Connections.AcceptAccount(ctx, connection, account)
	if err != nil {
		return s, fmt.Errorf("accept another account for connection %q: %w", connection, err)
	}
	return s, nil
}

// A SyncInfo is an applied sync as penstock_syncs lists it.
type SyncInfo struct {
	Sync       string              `json:"sync"`
	Version    string              `json:"version"`
	AppliedAt  time.Time           `json:"applied_at"`
	Connection string              `json:"connection"`
	Type       string              `json:"type"`
	Object     string              `json:"object"`
	Operation  string              `json:"operation"`
	Model      string              `json:"model"`            // the relation that a run selects from
	Cursor     string              `json:"cursor,omitempty"` // column
	Frequency  string              `json:"frequency,omitempty"`
	Source     syncdef.StoreSource `json:"store_source"` // what of a failed row is stored, and answered by penstock_errors
	frequency.Lateness
	// As of the sweeper's last turn: since when, by whom and why a person has paused the
	// sync, and the due time at which no run began.
	Paused string    `json:"paused,omitempty"`
	Missed time.Time `json:"missed_at,omitzero"`

	Allow *syncdef.Allow `json:"-"` // who may see it
}

// ListSyncs answers penstock_syncs: the applied syncs by name.
func (c *Control) ListSyncs(ctx context.Context) ([]SyncInfo, error) {
	names, err := c.Syncs.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("list syncs: %w", err)
	}
	shown, err := c.overviewsBySync(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]SyncInfo, 0, len(names))
	for _, name := range names {
		v, err := c.Syncs.Current(ctx, name)
		if errors.Is(err, run.ErrNotFound) {
			continue // removed since
		}
		if err != nil {
			return nil, fmt.Errorf("read sync %q: %w", name, err)
		}
		d := &v.Definition
		out = append(out, SyncInfo{
			Sync: name, Version: v.ID, AppliedAt: v.AppliedAt, Connection: d.Connection, Type: v.Rules.Type,
			Object: d.Object, Operation: string(d.Operation), Model: d.Relation(), Cursor: d.Cursor(), Frequency: d.Frequency,
			Source: d.SourceStored(), Lateness: frequency.LatenessOf(d, c.Now()),
			Allow: d.Allow,
		})
		if o := shown[name]; o != nil {
			one := &out[len(out)-1]
			if one.Missed = o.Missed; o.Pause != nil {
				one.Paused = o.Pause.Why()
			}
		}
	}
	return out, nil
}
