package main

import (
	"context"
	"fmt"
	"iter"

	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/lesson"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

// teach makes the lesson's tables and rows, unless the warehouse has them, and
// seeds the simulated Salesforce with its accounts, unless it has any.
func teach(ctx context.Context, w *duckdb.Warehouse, box *machine.Sandbox, o lesson.Options) (lesson.Plan, error) {
	if err := lessonTables(ctx, w); err != nil {
		return lesson.Plan{}, err
	}
	plan, err := lesson.ReadPlan(ctx, w.DB())
	if err != nil || plan.Rows == 0 {
		if plan, err = lesson.Generate(ctx, w.DB(), o); err != nil {
			return plan, err
		}
	}
	if box == nil || box.Salesforce == nil || box.Salesforce.Count("Account") > 0 {
		return plan, nil
	}
	var failed error
	err = box.Salesforce.Seed("Account", []string{"Website", "Name"}, accounts(ctx, w, &failed))
	if failed != nil {
		err = failed
	}
	if err != nil {
		return plan, fmt.Errorf("seed the accounts: %w", err)
	}
	return plan, nil
}

func accounts(ctx context.Context, w *duckdb.Warehouse, failed *error) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		values := make([]string, 2)
		*failed = lesson.Accounts(ctx, w.DB(), func(website, name string) bool {
			values[0], values[1] = website, name
			return yield(values)
		})
	}
}
