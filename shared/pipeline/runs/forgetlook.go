package runs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A search is for what one ledger holds of a key.
type search struct {
	version *syncdef.Version // the first whose ledger it is
	target  string
	own     []string // the key in the ledger's form
	named   []string // keys of errors whose record id it is
}

// holding adds what the ledgers of the versions hold, of every account that their
// connections had. Of the errors only those count whose key or record id it is: one that
// merely has it in a column is of somebody else's record.
func (c *Control) holding(ctx context.Context, k *Known, versions []syncdef.Version, key string, errs []run.RowError) error {
	var all []*search
	for i := range versions {
		v := &versions[i]
		if personOfCompany(v, key) {
			continue
		}
		stored, err := c.Connections.Connection(ctx, v.Definition.Connection)
		if err != nil && !errors.Is(err, run.ErrNotFound) {
			return fmt.Errorf("read connection %q: %w", v.Definition.Connection, err)
		}
		own := inLedger(v, key)
		named := k.named(v, own, key, errs)
		for epoch := range stored.Epoch + 1 {
			target := ledger.Target(&v.Definition, &v.Rules, epoch)
			n := slices.IndexFunc(all, func(s *search) bool { return s.target == target })
			if n < 0 {
				n, all = len(all), append(all, &search{version: v, target: target})
			}
			all[n].own, all[n].named = append(all[n].own, own), append(all[n].named, named...)
		}
	}
	for _, s := range all {
		if err := c.look(ctx, k, s, key); err != nil {
			return err
		}
	}
	return nil
}

// inLedger is a key as the version's ledger has it; "" where it can be none there.
func inLedger(v *syncdef.Version, key string) string {
	if v.Definition.Strategy == syncdef.MatchNone {
		return key // the record id
	}
	b, _ := v.Rules.Identity.Key(nil, []byte(key))
	return string(b)
}

// named adds the record ids of a version's errors whose key it is, and returns the keys of
// those whose record id it is.
func (k *Known) named(v *syncdef.Version, own, key string, errs []run.RowError) (keys []string) {
	for i := range errs {
		switch e := &errs[i]; {
		case e.Version != v.ID || e.Key == "":
		case e.Key == own:
			k.RecordIDs = append(k.RecordIDs, e.RecordID)
		case e.RecordID == key:
			keys = append(keys, e.Key)
		}
	}
	return keys
}

// look adds what one ledger holds. A key that was written for the record id, and has passed
// to another record since, is that one's.
func (c *Control) look(ctx context.Context, k *Known, s *search, key string) error {
	claimed, err := c.Entries.KeysOf(ctx, s.target, []string{key})
	if err != nil {
		return err
	}
	all := distinct(slices.Concat(s.own, s.named, claimed[key]))
	entries, err := c.Ledger.Entries(ctx, s.target, all)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(name string) bool {
		record := entries[name].Held.Record
		return record != 0 && record != ledger.RecordOf(key) && !slices.Contains(s.own, name)
	})
	k.entries[s.target] = all
	k.Keys = append(k.Keys, all...)
	for _, name := range all {
		e, ok := entries[name]
		if !ok {
			continue
		}
		k.Entries++
		if e.Held.ID != "" || e.Wrote() {
			k.Records = append(k.Records, Held{ID: e.Held.ID, Removed: e.Held.Fingerprint == row.Gone, Version: *s.version, Entry: e, Target: s.target})
		}
	}
	return nil
}

// personOfCompany reports whether an address of a person is looked for where records are
// companies, found by the address's domain: the company is not the person.
func personOfCompany(v *syncdef.Version, key string) bool {
	return v.Rules.Identity.Has(row.StepDomain) && strings.Contains(key, "@")
}
