package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/penstock-data/penstock/shared/app/doctor"
	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

// machine examines this machine: first what the other checks look into.
func (e *examination) machine(ctx context.Context) []doctor.Finding {
	first := []doctor.Check{
		{Name: "version", Run: e.version},
		{Name: "rights", Run: func(context.Context) ([]doctor.Finding, error) { return rightsIn(e.Data), nil }},
	}
	found := doctor.Examine(ctx, first, e.Wait) // before the state is opened, which mends its rights
	opened := make(chan *sqlite.Store, 1)
	found = append(found, doctor.Examine(ctx, []doctor.Check{
		{Name: "state", Remedy: "penstock logs --data " + e.Data, Run: func(ctx context.Context) ([]doctor.Finding, error) { return e.state(ctx, opened) }},
	}, e.Wait)...)
	select {
	case e.store = <-opened:
		e.control, e.tokens = machine.Control(e.store), e.store
		e.closes(e.store.Close)
	default:
	}
	found = append(found, e.definitions(ctx)...)
	checks := []doctor.Check{
		{Name: "queues", Run: e.queues},
		{Name: "warehouse", Run: e.warehouse},
		{Name: "proxy", Run: proxies},
	}
	checks = append(checks, e.accounts()...)
	checks = append(checks, e.perSync()...)
	return append(found, doctor.Examine(ctx, checks, e.Wait)...)
}

// version tells which program this is.
func (e *examination) version(ctx context.Context) ([]doctor.Finding, error) {
	info, _ := debug.ReadBuildInfo()
	r := reportVersion(info)
	r.DuckDB = duckdb.Version(ctx)
	return []doctor.Finding{{Check: "version", Verdict: doctor.OK, Detail: r.String()}}, nil
}

// state opens the folder's state, proves that it can be read and written, and looks for
// room on its disk.
func (e *examination) state(ctx context.Context, opened chan<- *sqlite.Store) ([]doctor.Finding, error) {
	f := doctor.Finding{Check: "state", Verdict: doctor.Fail}
	path := filepath.Join(e.Data, stateFile)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Detail, f.Remedy = "there is none in "+e.Data, fmt.Sprintf("%s apply%s%s, or name the folder with --data", self(), e.syncsFlag(), e.flags())
		return []doctor.Finding{f}, nil
	case err != nil:
		return nil, err
	}
	store, err := sqlite.Open(path, e.clock.now)
	if err == nil {
		if err = store.Check(ctx); err != nil {
			err = errors.Join(err, store.Close())
		}
	}
	if err != nil {
		f.Detail, f.Remedy = oneLine(err.Error()), stateRemedy(err, path)
		return []doctor.Finding{f}, nil
	}
	opened <- store
	f.Verdict, f.Detail = doctor.OK, fmt.Sprintf("%s: layout %d, %s, read and written", path, sqlite.Layout, humanize.IBytes(uint64(info.Size())))
	return []doctor.Finding{f, e.disk()}, nil
}

// stateRemedy is what to do about a state that cannot be used.
func stateRemedy(err error, path string) string {
	if known := remedy(err); known != "" {
		return known
	}
	switch text := err.Error(); {
	case strings.Contains(text, "the file has layout"):
		return "penstock version shows which program this is; run the one that wrote the file, or name another folder with --data"
	case errors.Is(err, fs.ErrPermission), strings.Contains(text, "readonly"), strings.Contains(text, "permission"):
		return fmt.Sprintf("chmod u+rw %s; where another user made it: sudo chown -R $USER %s", path, filepath.Dir(path))
	}
	return "docs/operating.md, or name another folder with --data"
}

// What a state needs to be free: a run of a million rows takes about as much as warns.
const (
	diskWarns = 1 << 30
	diskFails = 100 << 20
)

// disk judges what is free beside the state.
func (e *examination) disk() doctor.Finding {
	f := doctor.Finding{Check: "disk", Verdict: doctor.OK}
	free, err := freeAt(e.Data)
	if err != nil {
		f.Detail = "not known"
		return f
	}
	f.Detail = humanize.IBytes(free) + " are free"
	switch {
	case free < diskFails:
		f.Verdict = doctor.Fail
	case free < diskWarns:
		f.Verdict = doctor.Warn
	}
	if f.Verdict != doctor.OK {
		f.Remedy = fmt.Sprintf("free some space on the disk of %s; what is stored is whole", e.Data)
	}
	return f
}

// rightsIn judges who may read the folder: it holds rows, and maybe secrets.
func rightsIn(dir string) []doctor.Finding {
	files := []string{dir, filepath.Join(dir, "secrets")}
	for _, pattern := range []string{stateFile + "*", "secrets/*.json", "penstock.log", warehouseFile + "*", "sandbox-*"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err == nil {
			files = append(files, found...)
		}
	}
	f := doctor.Finding{Check: "rights", Verdict: doctor.OK, Detail: "only you may read what is in " + dir}
	var open []string
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
			open = append(open, fmt.Sprintf("%s (mode %04o)", file, info.Mode().Perm()))
		}
	}
	if len(open) == 0 {
		return []doctor.Finding{f}
	}
	f.Verdict, f.Remedy = doctor.Warn, fmt.Sprintf("chmod -R go= %s", dir)
	if slices.ContainsFunc(open, func(s string) bool {
		return strings.Contains(s, filepath.Join(dir, "secrets")+string(filepath.Separator))
	}) {
		f.Verdict = doctor.Fail // such a secret is not read
	}
	f.Detail = "others may read " + strings.Join(cutList(open, 4), ", ")
	return []doctor.Finding{f}
}

// cutList is the first of a list, and how many more there are.
func cutList(list []string, most int) []string {
	if len(list) <= most {
		return list
	}
	return append(slices.Clone(list[:most]), fmt.Sprintf("and %d more", len(list)-most))
}

// queues judges what waits, and whether anybody works on it.
func (e *examination) queues(ctx context.Context) ([]doctor.Finding, error) {
	if e.store == nil {
		return nil, nil
	}
	working := machine.InUse(e.Data)
	var all []doctor.Finding
	for _, kind := range e.kinds() {
		q := doctor.Queue{Name: kind, Working: working, Start: fmt.Sprintf("%s local%s%s", self(), e.flags(), e.syncsFlag()), Errors: self() + " errors RUN" + e.flags()}
		var err error
		if q.Waiting, err = e.store.Depth(ctx, kind); err != nil {
			return all, err
		}
		if q.Dead, err = e.store.Depth(ctx, kind+"-dlq"); err != nil {
			return all, err
		}
		oldest, err := e.store.Oldest(ctx, kind)
		if err != nil {
			return all, err
		}
		if !oldest.IsZero() {
			q.Age = max(0, e.clock.now().Sub(oldest))
		}
		all = append(all, q.Finding())
	}
	return all, nil
}

// kinds are the types that the syncs of the files and the state deliver to.
func (e *examination) kinds() []string {
	var all []string
	for i := range e.applied {
		all = append(all, e.applied[i].Rules.Type)
	}
	for _, y := range e.set.Syncs {
		all = append(all, y.Connection.Type)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// warehouse opens the embedded warehouse, and looks for the models in it.
func (e *examination) warehouse(ctx context.Context) ([]doctor.Finding, error) {
	f := doctor.Finding{Check: "warehouse", Verdict: doctor.OK}
	path := filepath.Join(e.Data, warehouseFile)
	if duckdb.Version(ctx) == "" {
		f.Verdict, f.Detail = doctor.Warn, "this program was built without DuckDB: it pushes no models of its own"
		f.Remedy = "CGO_ENABLED=1 go install github.com/penstock-data/penstock/cmd/penstock@latest, with a C compiler"
		return []doctor.Finding{f}, nil
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		f.Detail = "none yet: the first  penstock run  of a model, or  local , makes it"
		return []doctor.Finding{f}, nil
	}
	w, err := duckdb.Open(ctx, duckdb.Config{Path: path, Files: e.Syncs})
	if err != nil {
		why := warehouseFault(err, path, e.Data)
		f.Verdict, f.Detail = doctor.Fail, oneLine(firstLine(why))
		f.Remedy = "docs/one-machine.md, or --warehouse FILE.duckdb in the command that pushes"
		if inUse(err) {
			f.Verdict, f.Remedy = doctor.Warn, "end the other process (penstock sql, push or demo), and look again"
		}
		return []doctor.Finding{f}, nil
	}
	defer w.Close()
	f.Detail = fmt.Sprintf("%s opens with DuckDB %s", path, duckdb.Version(ctx))
	all := []doctor.Finding{f}
	for _, y := range e.set.Syncs {
		if y.ModelFile != "" { // it is made a view when the sync runs
			continue
		}
		name := y.Definition.Relation()
		_, err := columnsOf(ctx, w, qualified(name))
		if err != nil {
			all = append(all, doctor.Finding{
				Check: "model", About: y.Definition.Sync, Verdict: doctor.Warn, Detail: fmt.Sprintf("the warehouse has no table or view %s", name),
				Remedy: fmt.Sprintf("write %s beside its definition, or make the table with  %s sql%s", strings.TrimSuffix(filepath.Base(y.File), filepath.Ext(y.File))+".sql", self(), e.flags()),
			})
		}
	}
	return all, nil
}
