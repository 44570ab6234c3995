package runs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Versions lists what was ever applied.
type Versions interface {
	// Versions are all versions of a sync that were ever applied.
	Versions(ctx context.Context, sync string) ([]syncdef.Version, error)
}

// Entries erases what is held of keys.
type Entries interface {
	// ForgetEntries deletes the entries of the keys, and the claims that name them; what
	// is not there is no error. Somebody who read an entry before, and commits it later,
	// stores what ledger.Orphan says.
	ForgetEntries(ctx context.Context, target string, keys []string) error
	// KeysOf reads the keys that Commit was told are written for record ids.
	KeysOf(ctx context.Context, target string, records []string) (map[string][]string, error)
}

// Sources erases stored errors.
type Sources interface {
	// ForgetErrors deletes errors with their sources; what is not there is no error.
	ForgetErrors(ctx context.Context, refs []string) error
}

// A Shredder is storage in which deleting leaves copies.
type Shredder interface {
	// Shred leaves no copy of anything that was deleted before.
	Shred(ctx context.Context) error
}

// ErrCopies is of Forget, which has deleted everything.
var ErrCopies = errors.New("copies of what was deleted may be left in the storage")

// A Person is what is stored of a key: of a match value, as rows write it, or a record id.
type Person struct {
	Syncs  []Known        `json:"syncs"`  // of whom something is stored, by name
	Queues map[string]int `json:"queues"` // messages that wait and may hold its rows, by destination type
	refs   []string
}

// Known is what is stored of a key by one sync.
type Known struct {
	Sync       string `json:"sync"`
	Connection string `json:"connection"`
	Type       string `json:"type"`
	Object     string `json:"object"`
	Entries    int    `json:"ledger_entries"`
	Errors     int    `json:"errors"`
	Sources    int    `json:"sources"` // of Errors, those that keep the row's columns
	Left       int    `json:"left"`    // keys that a mirror is to remove
	// Records are what the destination holds of it.
	Records []Held              `json:"records"`
	entries map[string][]string // keys by target
	left    []leftPage
	// RecordIDs are the labels of its rows towards people; the warehouse's tables have them.
	RecordIDs []string `json:"-"`
	Keys      []string `json:"-"` // in the form of the ledger
}

// Held is a record at the destination that the ledger knows.
type Held struct {
	ID      string          `json:"id,omitempty"` // the destination's; "" where it told none
	Removed bool            `json:"removed,omitempty"`
	Version syncdef.Version `json:"-"` // the applied one where its rows go to Target; else the entry's
	Entry   ledger.Entry    `json:"-"`
	Target  string          `json:"-"`
}

type leftPage struct {
	run  string
	page int
	keys []string
}

// Nothing reports whether nothing is stored of it.
func (p *Person) Nothing() bool { return len(p.Syncs) == 0 }

// KeyHash stands for a key in the audit log and on the screen: the first 16 digits of its
// SHA-256, as  printf %s KEY | sha256sum  gives it.
func KeyHash(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "sha256:" + hex.EncodeToString(sum[:8])
}

// Find looks for what every sync stores of a key, or those of one connection: in the
// ledgers of all versions and accounts by their rules of identity, and among all stored
// errors by key, by record id and by the columns that they keep.
func (c *Control) Find(ctx context.Context, key, connection string) (Person, error) {
	p := Person{Syncs: []Known{}, Queues: map[string]int{}}
	if strings.TrimSpace(key) == "" {
		return p, row.Refuse("penstock forget: name a key: a match value as rows write it, or a record id")
	}
	names, err := c.Syncs.List(ctx)
	if err != nil {
		return p, fmt.Errorf("list syncs: %w", err)
	}
	bySync, err := c.erring(ctx, key)
	if err != nil {
		return p, err
	}
	for name := range bySync { // of syncs that are not applied any more, too
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		k, refs, err := c.known(ctx, name, key, connection, bySync[name])
		if err != nil {
			return p, fmt.Errorf("what sync %q stores: %w", name, err)
		}
		if k == nil {
			continue
		}
		p.Syncs, p.refs = append(p.Syncs, *k), append(p.refs, refs...)
	}
	return p, c.waiting(ctx, &p, names, connection)
}

// waiting counts the messages that may hold rows of the key: nobody can look into a
// queue of SQS without taking what is in it.
func (c *Control) waiting(ctx context.Context, p *Person, names []string, connection string) error {
	if c.Depths == nil {
		return nil
	}
	for _, name := range names {
		v, err := c.Syncs.Current(ctx, name)
		if errors.Is(err, run.ErrNotFound) || err == nil && connection != "" && v.Definition.Connection != connection {
			continue
		}
		if err != nil {
			return fmt.Errorf("read sync %q: %w", name, err)
		}
		if _, seen := p.Queues[v.Rules.Type]; seen {
			continue
		}
		if p.Queues[v.Rules.Type], err = c.Depths.Depth(ctx, v.Rules.Type); err != nil {
			return err
		}
	}
	return nil
}

// known is what one sync stores of a key; nil for nothing.
func (c *Control) known(ctx context.Context, name, key, connection string, errs []run.RowError) (*Known, []string, error) {
	versions, err := c.Versions.Versions(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	versions = slices.DeleteFunc(versions, func(v syncdef.Version) bool { return connection != "" && v.Definition.Connection != connection })
	if len(versions) == 0 {
		return nil, nil, nil
	}
	shown, applied := versions[len(versions)-1], ""
	if v, err := c.Syncs.Current(ctx, name); err == nil && (connection == "" || v.Definition.Connection == connection) {
		shown, applied = v, v.ID
		versions = append([]syncdef.Version{v}, versions...) // of those with one target it says what becomes of a record
	} else if err != nil && !errors.Is(err, run.ErrNotFound) {
		return nil, nil, err
	}
	k := &Known{Sync: name, Connection: shown.Definition.Connection, Type: shown.Rules.Type, Object: shown.Definition.Object, Records: []Held{}, entries: map[string][]string{}}
	var refs []string
	for i := range errs {
		e := &errs[i]
		k.Errors++
		if len(e.Source) > 0 {
			k.Sources++
		}
		refs = append(refs, e.Ref())
	}
	if err := c.holding(ctx, k, versions, key, errs); err != nil {
		return nil, nil, err
	}
	for i := range k.Records {
		r := &k.Records[i]
		wrote := slices.IndexFunc(versions, func(v syncdef.Version) bool { return v.ID == r.Entry.Held.Version })
		if r.Version.ID != applied && wrote >= 0 {
			r.Version = versions[wrote]
		}
	}
	if err := c.leaving(ctx, k, shown); err != nil {
		return nil, nil, err
	}
	k.RecordIDs, k.Keys = distinct(append(k.RecordIDs, key)), distinct(k.Keys)
	if k.Entries == 0 && k.Errors == 0 && k.Left == 0 {
		return nil, nil, nil
	}
	return k, refs, nil
}

// erring are the stored errors that are of a key, or hold it, by sync: by key, by record id,
// or by a text among the columns that they keep.
func (c *Control) erring(ctx context.Context, key string) (map[string][]run.RowError, error) {
	found := map[string][]run.RowError{}
	is := matcher(key)
	for from := ""; ; {
		refs, last := map[string][]string{}, ""
		var unread error
		more, err := c.Lists.ListErrors(ctx, run.EveryError, from, erringPage, func(l run.Listed) bool {
			last = l.Key
			numbers, err := l.Numbers()
			for _, n := range numbers {
				refs[l.Sync] = append(refs[l.Sync], run.ErrorRef(l.Run, l.Batch, n))
			}
			unread = errors.Join(unread, err)
			return true
		})
		if err = errors.Join(err, unread); err != nil {
			return nil, fmt.Errorf("list the stored errors: %w", err)
		}
		for sync, of := range refs {
			errs, err := c.Errors.ErrorsByRef(ctx, sync, of)
			if err != nil {
				return nil, err
			}
			for _, e := range errs {
				if is(&e) && !slices.ContainsFunc(found[sync], func(f run.RowError) bool { return f.Ref() == e.Ref() }) {
					found[sync] = append(found[sync], e)
				}
			}
		}
		if !more || last == from {
			return found, nil
		}
		from = last
	}
}

// erringPage is how many entries of the list of errors are read at once.
const erringPage = 100

// leaving finds the key among what a mirror is to remove.
func (c *Control) leaving(ctx context.Context, k *Known, v syncdef.Version) error {
	if v.Definition.Mirror == nil || c.Mirrors == nil {
		return nil
	}
	all, err := c.History.RecentRuns(ctx, k.Sync, seenRuns)
	if err != nil {
		return err
	}
	for _, r := range all {
		if r.Mode != run.Full {
			continue
		}
		for page := 0; ; page++ {
			keys, err := c.Mirrors.Left(ctx, r.ID, page)
			if errors.Is(err, run.ErrNotFound) {
				break
			}
			if err != nil {
				return err
			}
			rest := slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return slices.Contains(k.Keys, key) })
			if n := len(keys) - len(rest); n > 0 {
				k.Left += n
				k.left = append(k.left, leftPage{r.ID, page, rest})
			}
		}
	}
	return nil
}

// distinct is a list without its empty texts and repetitions, sorted.
func distinct(list []string) []string {
	list = slices.DeleteFunc(list, func(s string) bool { return s == "" })
	slices.Sort(list)
	return slices.Compact(list)
}

// Forget deletes what Find found: what mirrors are to remove, then the ledger, and the
// errors last, as their keys and columns may be all that the rest is found by. A process
// that dies in between has deleted a part, and the next Forget finds the rest; twice is the
// same as once, and leaves no copies where the first time could not (ErrCopies). The audit
// log names the hash of the key alone, before anything is done.
//
// first is done before that, such as removing records at destinations: where one fails,
// nothing is deleted.
func (c *Control) Forget(ctx context.Context, key string, p Person, first ...func(context.Context) error) error {
	return c.act(ctx, "forget", KeyHash(key), func() (string, error) {
		for _, do := range first {
			if err := do(ctx); err != nil {
				return "", err
			}
		}
		entries, errs := 0, 0
		for i := range p.Syncs {
			k := &p.Syncs[i]
			entries, errs = entries+k.Entries, errs+k.Errors
			for _, l := range k.left {
				if err := c.Mirrors.StoreLeft(ctx, l.run, l.page, l.keys); err != nil {
					return "", err
				}
			}
			for target, keys := range k.entries {
				if err := c.Entries.ForgetEntries(ctx, target, keys); err != nil {
					return "", err
				}
			}
		}
		if err := c.Sources.ForgetErrors(ctx, p.refs); err != nil {
			return "", err
		}
		if c.Shredder != nil {
			if err := c.Shredder.Shred(ctx); err != nil {
				return "", fmt.Errorf("%w: %w", ErrCopies, err)
			}
		}
		return fmt.Sprintf("%d ledger entries and %d stored errors of %d syncs deleted", entries, errs, len(p.Syncs)), nil
	})
}

// QueuesUntil is when the last message that waits now has expired (I1): queues keep them
// 14 days.
func QueuesUntil(now time.Time) time.Time { return now.Add(14 * 24 * time.Hour) }
