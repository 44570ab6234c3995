//go:build cgo

package cli

import (
	"bytes"
	"context"
	"runtime"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

// Ctrl-C at a prompt stops the statement that runs, and nothing else.
func TestPromptSurvivesInterrupt(t *testing.T) {
	ctx, sig := watchSignals(t.Context())
	defer sig.stop()
	did := &touched{}
	w, err := duckdb.Open(ctx, duckdb.Config{Answered: did.answered})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	session, err := w.Session(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	var out bytes.Buffer
	r := &runner{s: program{out: &out, err: &out, signals: sig}, g: &gate{}, session: session, did: did}
	ended := make(chan error, 1)
	go func() {
		ended <- r.interruptible(ctx, "SELECT count(*) FROM range(1000000000000) a, range(1000) b WHERE a.range % 7 = 3")
	}()
	for sig.owner() == nil {
		runtime.Gosched()
	}
	sig.owner()()
	if err := <-ended; err == nil || err.Error() != "stopped; what was queued goes on" {
		t.Errorf("the statement ended with %v", err)
	}
	if sig.owner() != nil || ctx.Err() != nil {
		t.Error("Ctrl-C ends more than the statement")
	}
	if err := r.interruptible(context.WithoutCancel(ctx), "SELECT 'still' || ' here' AS x;"); err != nil || !strings.Contains(out.String(), "still here") {
		t.Errorf("the next statement: %v\n%s", err, out.String())
	}
}
