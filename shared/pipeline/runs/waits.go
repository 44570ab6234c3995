package runs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// waits says what a run that goes on at now, or whose rows do, waits for; "" when it
// waits for nothing.
func (s *Stores) waits(ctx context.Context, r run.Run, t *run.Tally, now time.Time) (string, error) {
	if left := t.Left(); left > 0 {
		return s.delivery(ctx, r, left, now)
	}
	switch {
	case t.Pending > 0:
		return fmt.Sprintf("the warehouse, which has to send %d batches again that were not wholly queued", t.Pending), nil
	case r.Status == run.Open && r.Bracketed:
		return "penstock_finish, or another push", nil
	case r.Mirror != nil && !r.Mirror.Done:
		return "the removal of what left the model", nil
	case r.Status == run.Finishing && t.Counts.Lacks(r.Expected):
		return fmt.Sprintf("rows: %d were received, finish announced %d; call penstock_finish again with the right number", t.Counts.Received, r.Expected), nil
	case !r.Status.Ended():
		return "the sweeper, which runs every minute", nil
	}
	return "", nil
}

// delivery says what queued rows wait for: their connection, their version, its share of
// the quota, or their turn.
func (s *Stores) delivery(ctx context.Context, r run.Run, left int64, now time.Time) (string, error) {
	v, err := s.Syncs.Version(ctx, r.Sync, r.Version)
	if err != nil {
		return "", fmt.Errorf("read sync %q version %s: %w", r.Sync, r.Version, err)
	}
	name, rows := v.Definition.Connection, number(left, "row", "rows")
	p, err := s.Connections.Pace(ctx, name)
	if err != nil {
		return "", fmt.Errorf("read the state of connection %q: %w", name, err)
	}
	if p.Failing() {
		return fmt.Sprintf("%s, which connection %q holds up since %s, until %s at least: %s", rows, name, stamp(p.Since), stamp(p.Until), p.Reason), nil
	}
	h, halted, err := s.halt(ctx, r.Sync, r.Version)
	if halted {
		return fmt.Sprintf("%s of version %s, which cannot be delivered since %s: %s", rows, r.Version, stamp(h.Since), h.Reason), nil
	}
	if err != nil {
		return "", err
	}
	if spent, err := s.spent(ctx, v, now); err != nil || spent != "" {
		return rows + ", " + spent, err
	}
	return number(left, "row that is queued", "rows that are queued"), nil
}

// spent says that the share of the quota that a version's connection grants keeps rows
// back at now, how much of it is spent, and from when on the next ones go; "" where it
// grants calls.
func (s *Stores) spent(ctx context.Context, v syncdef.Version, now time.Time) (string, error) {
	if s.Told == nil {
		return "", nil
	}
	connection := v.Definition.Connection
	b, err := s.Told.Bucket(ctx, connection+"/")
	if err != nil {
		return "", fmt.Errorf("read the quota of connection %q: %w", connection, err)
	}
	limits, err := s.granted(ctx, v, b)
	if err != nil {
		return "", err
	}
	d, dry := b.Dry(limits, now)
	if !dry {
		return "", nil
	}
	next := "now"
	if d.Wait > 0 {
		next = "from " + stamp(now.Add(d.Wait).Add(time.Second-1)) + " on"
	}
	return fmt.Sprintf("which the quota of connection %q keeps back: of its share, %d calls in %s, %d of the %d that may be made at once are spent; one comes back every %s, and the next rows go %s",
		connection, d.Window.Calls, shortly(d.Window.Per), d.Spent, d.Burst, shortly(d.Every), next), nil
}

// shortly is a time without the units that say nothing: "24h", "2m53s", "860ms".
func shortly(d time.Duration) string {
	unit := time.Second
	if d < 10*time.Second {
		unit = 10 * time.Millisecond
	}
	text := d.Round(unit).String()
	if strings.HasSuffix(text, "m0s") {
		text = text[:len(text)-2]
	}
	if strings.HasSuffix(text, "h0m") {
		text = text[:len(text)-2]
	}
	return text
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// halt is a version's halt, if there is one.
func (s *Stores) halt(ctx context.Context, sync, version string) (h run.Halt, halted bool, err error) {
	h, err = s.Halts.Halt(ctx, sync, version)
	if errors.Is(err, run.ErrNotFound) {
		return h, false, nil
	}
	if err != nil {
		return h, false, fmt.Errorf("read the halt of sync %q version %s: %w", sync, version, err)
	}
	return h, true, nil
}
