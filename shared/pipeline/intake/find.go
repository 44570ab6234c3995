package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pipeline/version"
	"github.com/penstock-data/penstock/shared/row"
)

// find gives deleting rows without a match value the key that was written for their
// record id. Of one whose record is not known the worker says unchanged.
func (in *Intake) find(ctx context.Context, c *check) error {
	var asked []string
	for n := range c.fates {
		if c.keyless(n) {
			asked = append(asked, c.recordID(n))
		}
	}
	if len(asked) == 0 {
		return nil
	}
	claims, err := in.claims(ctx, c.v, asked)
	if err != nil {
		return err
	}
	for n := range c.fates {
		if !c.keyless(n) {
			continue
		}
		f := &c.fates[n]
		switch keys := claims[c.recordID(n)]; len(keys) {
		case 0:
		case 1:
			f.found = keys[0]
		default:
			f.status, f.fault = row.Rejected, claimedTwice(c.matchColumn())
		}
	}
	return nil
}

// rekeyed counts the updates of a stream that gave their record another key: by the old
// half where it is in the batch, else by what the ledger says was written for the record.
func (in *Intake) rekeyed(ctx context.Context, c *check) error {
	if !c.v.Version.Definition.KeepsRecords() {
		return nil
	}
	old := map[string]string{} // key by record id
	for n := range c.fates {
		if f := &c.fates[n]; f.action == row.OldHalf && f.fault == nil {
			old[c.recordID(n)] = c.key(n)
		}
	}
	var alone []int
	var asked []string
	for n := range c.fates {
		if f := &c.fates[n]; !f.half || f.status != row.Queued {
			continue
		}
		was, there := old[c.recordID(n)]
		switch {
		case !there:
			alone, asked = append(alone, n), append(asked, c.recordID(n))
		case was != "" && was != c.key(n):
			c.batch.Counts.Rekeyed++
		}
	}
	if len(asked) == 0 {
		return nil
	}
	claims, err := in.claims(ctx, c.v, asked)
	if err != nil {
		return err
	}
	for _, n := range alone {
		other := func(key string) bool { return key != c.key(n) }
		if slices.ContainsFunc(claims[c.recordID(n)], other) {
			c.batch.Counts.Rekeyed++
		}
	}
	return nil
}

// claims are the keys of the records that record ids stand for.
func (in *Intake) claims(ctx context.Context, v *version.Compiled, records []string) (map[string][]string, error) {
	d := &v.Version.Definition
	if !d.KeepsRecords() {
		return nil, nil
	}
	if in.Ledger == nil {
		return nil, errors.New("find records by their record id: no ledger is wired")
	}
	epoch, err := in.epoch(ctx, d.Connection)
	if err != nil {
		return nil, err
	}
	target := v.Target(epoch)
	slices.Sort(records)
	kept, err := in.Ledger.KeysOf(ctx, target, slices.Compact(records))
	if err != nil {
		return nil, fmt.Errorf("find records of %s by their record id: %w", target, err)
	}
	var keys []string
	for _, some := range kept {
		keys = append(keys, some...)
	}
	slices.Sort(keys)
	entries, err := in.Ledger.Entries(ctx, target, slices.Compact(keys))
	if err != nil {
		return nil, fmt.Errorf("read the ledger of %s: %w", target, err)
	}
	live := make(map[string][]string, len(kept))
	for record, some := range kept {
		live[record] = ledger.Claims(record, some, entries)
	}
	return live, nil
}
