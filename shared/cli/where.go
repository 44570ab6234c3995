package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/dustin/go-humanize/english"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
)

// noteFile notes where the rows of a data folder are: its ledger says what the
// destination there holds, and is wrong of any other one.
const noteFile = "destinations.json"

// Where rows go that go to no given URL.
const (
	ownSimulator = "simulator"  // of this folder
	ownURL       = "connection" // the connection's
)

// A where says for each destination type where its rows go: a URL, ownSimulator or
// ownURL. A type whose rows have gone nowhere yet is absent.
type where map[string]string

// A note is what a data folder remembers of its destinations.
type note struct {
	To          where             `json:"to"`
	Names       map[string]string `json:"names,omitempty"` // of its simulators: a file by type, as an absolute path
	AcceptNames bool              `json:"accept_names,omitempty"`
}

// readNote reads a folder's note; an empty one when there is none.
func readNote(dir string) (note, error) {
	n := note{To: where{}, Names: map[string]string{}}
	text, err := os.ReadFile(filepath.Join(dir, noteFile))
	if errors.Is(err, fs.ErrNotExist) {
		return n, nil
	}
	if err != nil {
		return n, fmt.Errorf("read where the rows of %s are: %w", dir, err)
	}
	if err := json.Unmarshal(text, &n); err != nil || n.To == nil || n.Names == nil {
		return n, fmt.Errorf("read where the rows of %s are: %s cannot be read: put it back, or delete it when all rows are in this folder's simulators", dir, noteFile)
	}
	return n, nil
}

// write notes it, in one step, so that a killed process leaves the old note.
func (n note) write(dir string) error {
	text, err := json.MarshalIndent(n, "", "  ")
	path := filepath.Join(dir, noteFile)
	if err == nil {
		err = os.WriteFile(path+".new", append(text, '\n'), 0o600)
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return fmt.Errorf("note where the rows of %s are: %w", dir, err)
	}
	return nil
}

// note decides where rows go: where a flag says, else where the folder's rows are.
// The simulators know the names that they were told of at any earlier start.
func (c localCmd) note(known destinations) (note, error) {
	old, err := readNote(c.Data)
	if err != nil {
		return old, err
	}
	next := note{To: where{}, Names: old.Names, AcceptNames: old.AcceptNames || c.AcceptNames}
	for kind, file := range c.Names {
		if next.Names[kind], err = filepath.Abs(file); err != nil {
			return next, fmt.Errorf("--names %s=%s: %w", kind, file, err)
		}
	}
	for _, kind := range known.names() {
		switch was := old.To[kind]; {
		case c.Endpoint[kind] != "":
			next.To[kind] = strings.TrimRight(c.Endpoint[kind], "/") // with and without it is one place
		case was != "" && !(c.Bare && was == ownSimulator):
			next.To[kind] = was
		case c.Bare:
			next.To[kind] = ownURL
		default:
			next.To[kind] = ownSimulator
		}
	}
	return next, nil
}

// endpoints are addresses by type, of flags TYPE=URL.
type endpoints map[string]string

// Decode reads a flag. What is written without its type may be a URL with a password in
// it, which kong would repeat.
func (e *endpoints) Decode(ctx *kong.DecodeContext) error {
	var text string
	if err := ctx.Scan.PopValueInto("TYPE=URL", &text); err != nil {
		return errors.New("write TYPE=URL")
	}
	if *e == nil {
		*e = endpoints{}
	}
	for _, one := range kong.SplitEscaped(text, ctx.Value.Tag.MapSep) {
		kind, to, whole := strings.Cut(one, "=")
		if !whole {
			return errors.New("write TYPE=URL")
		}
		(*e)[kind] = to
	}
	return nil
}

// checkEndpoints refuses an endpoint that no worker would use.
func (c localCmd) checkEndpoints(known destinations) error {
	for _, kind := range slices.Sorted(maps.Keys(c.Endpoint)) {
		to := c.Endpoint[kind]
		if to == ownSimulator && c.Bare {
			return usage("--endpoint %s=%s: with --bare there are no simulators: write a URL, or %s", kind, to, ownURL)
		}
		if err := known.checkEndpoint(kind, to); err != nil {
			return err
		}
	}
	return nil
}

// checkEndpoint refuses what is no place to call, and repeats nothing that may log in.
func (d destinations) checkEndpoint(kind, to string) error {
	unfit := unfit(to)
	switch known := slices.Contains(d.names(), kind); {
	case !known && (unfit != "" || strings.ContainsAny(kind, ":/@?#%")): // a URL that was cut at its first =
		return usage("--endpoint: write TYPE=URL: known types are %s", english.WordSeries(d.names(), "and"))
	case !known || to == ownURL || to == ownSimulator:
		return d.check("endpoint", kind, to)
	case unfit != "":
		return usage("--endpoint %s: write its URL without %s: what logs in is the connection's secret", kind, unfit)
	case !isPlace(to):
		return usage("--endpoint %s=%s: write a URL with its host, as %s=http://127.0.0.1:8788, or %s or %s", kind, to, kind, ownSimulator, ownURL)
	}
	return nil
}

// isPlace reports whether a text is the URL of a host.
func isPlace(to string) bool {
	u, err := url.Parse(to)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// unfit is what an address must not have, as it would be noted, printed and logged with
// it; "" where it has nothing of the kind. An @ in a URL's path names nobody.
func unfit(to string) string {
	u, _ := url.Parse(to)
	switch place := isPlace(to); {
	case strings.Contains(to, "@") && (!place || u.User != nil):
		return "a name and password"
	case strings.ContainsAny(to, "?#"):
		return "a query and a fragment"
	case strings.Contains(to, "%") && !place: // how an @ may be written
		return "a percent sign before its path"
	}
	return ""
}

// keep stores the note. Where a type's rows go to another place than before, the ledger
// may be wrong of it: so they only do when no connection of the type holds them there.
func (n note) keep(ctx context.Context, dir string, store *sqlite.Store) error {
	old, err := readNote(dir)
	if err != nil {
		return err
	}
	for _, kind := range slices.Sorted(maps.Keys(n.To)) {
		was, is := strings.TrimRight(old.To[kind], "/"), n.To[kind]
		if was == "" || was == is {
			continue
		}
		held, err := holding(ctx, store, kind)
		if err != nil {
			return err
		}
		if len(held) == 0 {
			continue
		}
		for i, name := range held {
			held[i] = fmt.Sprintf("penstock connect %s --accept-account --data %s", name, dir)
		}
		return fmt.Errorf("the rows of %[1]s go to %[3]s (%[2]s), and %[4]s may hold others: give another --data, or --endpoint %[2]s=%[3]s; or start anew with  %[5]s",
			dir, kind, was, is, strings.Join(held, "  and  "))
	}
	return n.write(dir)
}

// holding are the connections of a type whose rows cannot go to another place than before:
// a ledger of theirs says what is there. One that knows its account delivers to no other
// one, and one whose next account a person has accepted has empty ledgers.
func holding(ctx context.Context, store *sqlite.Store, kind string) (names []string, err error) {
	targets, err := store.Ledgers(ctx)
	if err != nil {
		return nil, err
	}
	for _, target := range targets {
		name, epoch := ledger.Of(target)
		c, err := store.Connection(ctx, name)
		if errors.Is(err, run.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read connection %q: %w", name, err)
		}
		if c.Connection.Type == kind && c.Account == "" && c.Epoch == epoch && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}
