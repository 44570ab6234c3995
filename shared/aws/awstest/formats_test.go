package awstest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/penstock-data/penstock/shared/aws"
	"github.com/penstock-data/penstock/shared/aws/attr"
	awserrors "github.com/penstock-data/penstock/shared/aws/errors"
	"github.com/penstock-data/penstock/shared/aws/ledger"
	"github.com/penstock-data/penstock/shared/aws/state"
	"github.com/penstock-data/penstock/shared/freshness"
	entries "github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/verify"
)

// Whatever a later release stores in another format is refused with both numbers, by
// every read, and by every write that does not read first.
func TestFormatsOfOtherReleases(t *testing.T) {
	servers(t)
	ctx := t.Context()
	cfg, err := aws.Load(ctx)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("f%d-", opened.Add(1)) + strings.ToLower(t.Name()) + "-"
	remove, err := CreateTables(ctx, cfg, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = remove(context.WithoutCancel(ctx)) })
	s := state.New(cfg, state.Config{Table: name + State, Now: now})
	l := ledger.New(cfg, ledger.Config{Table: name + Ledger})
	e := awserrors.New(cfg, awserrors.Config{Table: name + Errors, Now: now})

	r := run.Run{ID: "health.r1", Sync: "health", Bracketed: true, Status: run.Open, BegunAt: at}
	c := syncdef.Connection{Name: "prod", Type: "crm"}
	batch := run.Batch{Run: r.ID, ID: "b1", Sync: "health"}
	rowError := run.RowError{Sync: "health", Run: r.ID, Batch: "b1", Row: 1, Type: "busy", Attempts: 1}
	entry := []entries.Entry{{Key: "k"}}
	windows := []pace.Window{{Calls: 10, Per: 1e9}}
	first := func(_ any, err error) error { return err }
	both := func(_, _ any, err error) error { return err }
	writes := map[string]func() error{
		"Apply": func() error {
			return s.Apply(ctx, syncdef.Version{ID: "v1", Definition: syncdef.Definition{Sync: "health"}})
		},
		"Remove":       func() error { return s.Remove(ctx, "gone") },
		"NextSequence": func() error { return first(s.NextSequence(ctx, "health")) },
		"PutConnection": func() error {
			return s.PutConnection(ctx, c)
		},
		"SetPace":         func() error { return s.SetPace(ctx, "prod", pace.State{}) },
		"Slow":            func() error { return s.Slow(ctx, "prod/", at) },
		"BeginRun":        func() error { return s.BeginRun(ctx, r, "") },
		"PinBatch":        func() error { return both(s.PinBatch(ctx, batch)) },
		"StartChunk":      func() error { return s.StartChunk(ctx, r.ID, "b1", 0, run.Start{Receives: 2}) },
		"RecordChunk":     func() error { return first(s.RecordChunk(ctx, r.ID, "b1", 1, run.Chunk{})) },
		"SetMark":         func() error { return s.SetMark(ctx, run.Mark{Sync: "health", Target: "t", Column: "c"}) },
		"SetHalt":         func() error { return s.SetHalt(ctx, run.Halt{Sync: "health", Version: "v1"}) },
		"StoreDue":        func() error { return s.StoreDue(ctx, []run.Due{{Sync: "health", At: at, Run: r.ID}}) },
		"CountGate":       func() error { return first(s.CountGate(ctx, r.ID, "b1", run.GateCounts{Rows: 1})) },
		"SetPause":        func() error { return s.SetPause(ctx, run.Pause{Sync: "health"}) },
		"StoreAction":     func() error { return s.StoreAction(ctx, run.Action{At: now(), Who: "x"}) },
		"SetFiring":       func() error { return s.SetFiring(ctx, run.Firing{Sync: "health", At: at}) },
		"SetVerification": func() error { return s.SetVerification(ctx, verify.Reading{Sync: "health"}) },
		"SetFreshness": func() error {
			return s.SetFreshness(ctx, freshness.Reading{Sync: "health"})
		},
		"SetOverview": func() error { return s.SetOverview(ctx, run.Overview{Sync: "health"}) },
		"Commit":      func() error { return first(l.Commit(ctx, "t", entry)) },
		"StoreErrors": func() error { return e.StoreErrors(ctx, []run.RowError{rowError}) },
	}
	for call, f := range writes {
		if err := f(); err != nil {
			t.Fatalf("%s: %v", call, err)
		}
	}
	for _, table := range []string{State, Ledger, Errors} {
		raise(t, cfg, name+table)
	}
	calls := map[string]func() error{
		"Current":       func() error { return first(s.Current(ctx, "health")) },
		"Version":       func() error { return first(s.Version(ctx, "health", "v1")) },
		"List":          func() error { return first(s.List(ctx)) },
		"Removed":       func() error { return first(s.Removed(ctx)) },
		"Connection":    func() error { return first(s.Connection(ctx, "prod")) },
		"PinAccount":    func() error { return first(s.PinAccount(ctx, "prod", "org")) },
		"AcceptAccount": func() error { return first(s.AcceptAccount(ctx, "prod", "org")) },
		"Pace":          func() error { return first(s.Pace(ctx, "prod")) },
		"Lease": func() error {
			return both(state.New(cfg, state.Config{Table: name + State, Now: now}).Lease(ctx, "prod/", windows, 1, at))
		},
		"Latest":        func() error { return first(s.Latest(ctx, "health")) },
		"Run":           func() error { return first(s.Run(ctx, r.ID)) },
		"EnsureRun":     func() error { return first(s.EnsureRun(ctx, r)) },
		"LiveRuns":      func() error { return first(s.LiveRuns(ctx)) },
		"RecentRuns":    func() error { return first(s.RecentRuns(ctx, "health", 5)) },
		"Batch":         func() error { return first(s.Batch(ctx, r.ID, "b1")) },
		"Batches":       func() error { return first(s.Batches(ctx, r.ID)) },
		"a mark":        func() error { return first(s.Chunk(ctx, r.ID, "b1", 0)) },
		"a record":      func() error { return first(s.Chunk(ctx, r.ID, "b1", 1)) },
		"ChunksDone":    func() error { return first(s.ChunksDone(ctx, r.ID, "b1", 2)) },
		"Chunks":        func() error { return s.Chunks(ctx, r.ID, func(string, int, run.Chunk) error { return nil }) },
		"Mark":          func() error { return first(s.Mark(ctx, "health", "t", "c")) },
		"Halt":          func() error { return first(s.Halt(ctx, "health", "v1")) },
		"Bucket":        func() error { return first(s.Bucket(ctx, "prod/")) },
		"Pause":         func() error { return first(s.Pause(ctx, "health")) },
		"Actions":       func() error { return first(s.Actions(ctx, now().Add(-time.Hour), 5)) },
		"Firing":        func() error { return first(s.Firing(ctx, "health", at)) },
		"RecentFirings": func() error { return first(s.RecentFirings(ctx, "health", 5)) },
		"Freshness":     func() error { return first(s.Freshness(ctx, "health")) },
		"Overview":      func() error { return first(s.Overview(ctx, "health")) },
		"Overviews": func() error { // one that cannot be read hides no other
			all, err := s.Overviews(ctx, map[string]int64{"health": 0})
			if err == nil && len(all) == 1 && all[0].Unreadable != "" {
				err = fmt.Errorf("%w: %s", run.ErrFormat, all[0].Unreadable)
			}
			return err
		},
		"SomeRuns":   func() error { return first(s.SomeRuns(ctx, []string{r.ID})) },
		"SomeErrors": func() error { return first(e.SomeErrors(ctx, []string{rowError.Ref()})) },
		"ListErrors": func() error {
			return first(e.ListErrors(ctx, "health", "", 5, func(run.Listed) bool { return true }))
		},
		"Places":       func() error { return first(l.Places(ctx, []entries.Place{{Target: "t", Key: "k"}})) },
		"Verification": func() error { return first(s.Verification(ctx, "health")) },
		"DueItems":     func() error { return first(s.DueItems(ctx, "health", at, 5)) },
		"Entries":      func() error { return first(l.Entries(ctx, "t", []string{"k"})) },
		"RunErrors":    func() error { return both(e.RunErrors(ctx, r.ID, 5, "")) },
		"ErrorsByRef":  func() error { return first(e.ErrorsByRef(ctx, "health", []string{rowError.Ref()})) },
		"EndDue":       func() error { return e.EndDue(ctx, "health", []string{rowError.Ref()}, "why") },
	}
	for _, call := range []string{"NextSequence", "PutConnection", "PinBatch", "CountGate", "SetPause", "StoreAction", "Commit"} {
		calls[call] = writes[call]
	}
	for call, f := range calls {
		err := f()
		if !errors.Is(err, run.ErrFormat) || !strings.Contains(err.Error(), "format 2") || !strings.Contains(err.Error(), "format 1") {
			t.Errorf("%s: %v", call, err)
		}
	}
}

// raise gives every item of a table the next format number.
func raise(t *testing.T, cfg sdk.Config, table string) {
	t.Helper()
	db := dynamodb.NewFromConfig(cfg)
	all, err := db.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table})
	if err != nil || len(all.Items) == 0 {
		t.Fatalf("%d items in %s: %v", len(all.Items), table, err)
	}
	for _, i := range all.Items {
		if attr.Int(i[attr.F]) != 1 {
			t.Errorf("%s / %s has format %d", attr.String(i[attr.PK]), attr.String(i[attr.SK]), attr.Int(i[attr.F]))
		}
		if _, err := db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: &table, Key: attr.Key(attr.String(i[attr.PK]), attr.String(i[attr.SK])),
			UpdateExpression: sdk.String("ADD f :one"), ExpressionAttributeValues: attr.Item{":one": attr.N(1)},
		}); err != nil {
			t.Fatal(err)
		}
	}
}
