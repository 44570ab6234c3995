package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/penstock-data/penstock/shared/app/doctor"
	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/frequency"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// definitions reads the files and what was applied of them.
func (e *examination) definitions(ctx context.Context) []doctor.Finding {
	files := doctor.Finding{Check: "definitions", Verdict: doctor.OK}
	set, err := loadFolder(e.Syncs, e.known.kinds())
	e.set = set
	var faults syncdef.Faults
	errors.As(err, &faults)
	e.set.Syncs = slices.DeleteFunc(e.set.Syncs, func(y yamlfile.Sync) bool {
		return y.Faulty(faults)
	})
	switch {
	case faults != nil:
		files.Verdict, files.Detail = doctor.Fail, english.Plural(len(faults), "fault", "")+", the first: "+oneLine(faults[0].Error())
		files.Remedy = self() + " validate" + e.syncsFlag()
	case err != nil:
		files.Verdict, files.Detail, files.Remedy = doctor.Warn, oneLine(err.Error()), self()+" doctor --syncs DIR, or  "+self()+" init"
	default:
		files.Detail = english.Plural(len(set.Syncs), "sync is", "syncs are") + " sound"
	}
	found := []doctor.Finding{files}
	if e.control == nil {
		return found
	}
	return append(found, doctor.Examine(ctx, []doctor.Check{{Name: "applied", Run: func(ctx context.Context) ([]doctor.Finding, error) {
		var failed error
		if e.applied, failed = currentVersions(ctx, e); failed != nil {
			return nil, failed
		}
		return e.compare(ctx, err == nil)
	}}}, e.Wait)...)
}

// currentVersions are those of all applied syncs.
func currentVersions(ctx context.Context, e *examination) ([]syncdef.Version, error) {
	names, err := e.control.Syncs.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("list syncs: %w", err)
	}
	var all []syncdef.Version
	for _, name := range names {
		v, err := e.control.Syncs.Current(ctx, name)
		if errors.Is(err, run.ErrNotFound) {
			continue // removed since
		}
		if err != nil {
			return all, fmt.Errorf("read sync %q: %w", name, err)
		}
		all = append(all, v)
	}
	return all, nil
}

// compare holds the files against what is applied; known says that the files were read.
func (e *examination) compare(ctx context.Context, known bool) ([]doctor.Finding, error) {
	apply := fmt.Sprintf("%s apply%s%s", self(), e.syncsFlag(), e.flags())
	f := doctor.Finding{Check: "applied", Verdict: doctor.OK, Detail: english.Plural(len(e.applied), "sync", "")}
	if len(e.applied) == 0 {
		f.Verdict, f.Detail, f.Remedy = doctor.Warn, "no sync is applied yet", apply
		return []doctor.Finding{f}, nil
	}
	if !known {
		return []doctor.Finding{f}, nil
	}
	var found []doctor.Finding
	moved, err := e.movedConnections(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range moved {
		found = append(found, doctor.Finding{Check: "applied", About: name, Verdict: doctor.Warn, Detail: "the connection's settings differ from what is applied: runs use the old ones", Remedy: apply})
	}
	for _, y := range e.set.Syncs {
		name := y.Definition.Sync
		at := slices.IndexFunc(e.applied, func(v syncdef.Version) bool { return v.Definition.Sync == name })
		switch {
		case at < 0:
			found = append(found, doctor.Finding{Check: "applied", About: name, Verdict: doctor.Warn, Detail: y.File + " is not applied: the sync is not there", Remedy: apply + " " + name})
		case len(syncdef.Diff(e.applied[at], syncdef.NewVersion(y.Definition, e.applied[at].Rules, e.clock.now()))) > 0:
			found = append(found, doctor.Finding{Check: "applied", About: name, Verdict: doctor.Warn, Detail: y.File + " differs from what is applied: runs use the old version", Remedy: apply + " " + name})
		}
	}
	if len(e.set.Syncs) > 0 { // else they are some place else
		for i := range e.applied {
			if name := e.applied[i].Definition.Sync; !has(e.set, name) {
				found = append(found, doctor.Finding{Check: "applied", About: name, Verdict: doctor.Warn, Detail: "its file is gone, and it is still applied", Remedy: fmt.Sprintf("%s remove %s%s , or put the file back", self(), name, e.flags())})
			}
		}
	}
	if len(found) == 0 {
		f.Detail += ", as in the files"
		found = append(found, f)
	}
	return found, nil
}

// has reports whether a sync is among the files.
func has(set yamlfile.Set, name string) bool { _, ok := set.Find(name); return ok }

// movedConnections are those whose settings differ from what is applied.
func (e *examination) movedConnections(ctx context.Context) ([]string, error) {
	var names []string
	for _, c := range e.set.Connections {
		old, err := e.control.Connections.Connection(ctx, c.Name)
		if errors.Is(err, run.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read connection %q: %w", c.Name, err)
		}
		if len(syncdef.DiffConnection(old.Connection, c)) > 0 {
			names = append(names, c.Name)
		}
	}
	return names, nil
}

// perSync are the checks of what holds a sync up.
func (e *examination) perSync() []doctor.Check {
	return []doctor.Check{{Name: "syncs", Run: func(ctx context.Context) ([]doctor.Finding, error) {
		if e.control == nil {
			return nil, nil
		}
		found := e.schedules()
		for i := range e.applied {
			one, err := e.held(ctx, &e.applied[i])
			found = append(found, one...)
			if err != nil {
				return found, err
			}
		}
		return found, nil
	}}}
}

// held says what a person or a fault has stopped a sync by.
func (e *examination) held(ctx context.Context, v *syncdef.Version) ([]doctor.Finding, error) {
	name := v.Definition.Sync
	var found []doctor.Finding
	p, err := e.control.Pauses.Pause(ctx, name)
	switch {
	case err == nil:
		found = append(found, doctor.Finding{Check: "sync", About: name, Verdict: doctor.Warn, Detail: e.clock.local(p.Why()), Remedy: fmt.Sprintf("%s resume %s%s", self(), name, e.flags())})
	case !errors.Is(err, run.ErrNotFound):
		return found, err
	}
	halt, err := e.control.Halts.Halt(ctx, name, v.ID)
	switch {
	case err == nil:
		found = append(found, doctor.Finding{Check: "sync", About: name, Verdict: doctor.Fail, Detail: "its version is refused by the destination: " + strings.TrimSpace(halt.Reason), Remedy: fmt.Sprintf("%s validate %s --connection", self(), name)})
	case !errors.Is(err, run.ErrNotFound):
		return found, err
	}
	return found, nil
}

// schedules says that syncs are due and nobody runs them. In a stack EventBridge does.
func (e *examination) schedules() []doctor.Finding {
	frequent := 0
	for i := range e.applied {
		if _, err := frequency.Of(&e.applied[i].Definition); err == nil {
			frequent++
		}
	}
	f := doctor.Finding{Check: "schedule", Verdict: doctor.OK, Detail: english.Plural(frequent, "sync has", "syncs have") + " a sync_frequency"}
	switch {
	case frequent == 0 || e.Stack != "":
		return nil
	case !machine.InUse(e.Data):
		f.Verdict, f.Remedy = doctor.Warn, fmt.Sprintf("%s local%s%s", self(), e.flags(), e.syncsFlag())
		f.Detail += ", and no  penstock local  is up to run them"
	case os.Getenv("PENSTOCK_SCHEDULE") == "false":
		f.Verdict, f.Remedy = doctor.Warn, "unset PENSTOCK_SCHEDULE, and start  penstock local  again"
		f.Detail += ", and PENSTOCK_SCHEDULE=false lets none run"
	}
	return []doctor.Finding{f}
}
