package apptest

import (
	"context"

	"github.com/penstock-data/penstock/shared/run"
)

// Statements notes the statements that schedules ask for, and ends each at once.
type Statements struct{ Calls []run.Call }

// Start notes a call.
func (w *Statements) Start(_ context.Context, c run.Call) (run.Statement, error) {
	w.Calls = append(w.Calls, c)
	return run.Statement{Handle: c.Request, State: run.StatementRunning}, nil
}

// Look says that a statement has ended well.
func (w *Statements) Look(_ context.Context, handle string) (run.Statement, error) {
	return run.Statement{Handle: handle, State: run.StatementDone}, nil
}
