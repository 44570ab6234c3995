package cli

import (
	"context"
	"fmt"
	"iter"

	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/sample"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

// A seeder is a simulator that takes records as an administrator's import would.
type seeder interface {
	Seed(object string, fields []string, rows iter.Seq[[]string]) error
	Count(object string) int
}

// seedSample makes the sample's tables and rows, unless the warehouse has them, and
// seeds its simulator with the sample's accounts, unless it has any.
func seedSample(ctx context.Context, w *duckdb.Warehouse, box *machine.Sandbox, o sample.Options) (sample.Plan, error) {
	if err := sampleTables(ctx, w); err != nil {
		return sample.Plan{}, err
	}
	plan, err := sample.ReadPlan(ctx, w.DB())
	if err != nil || plan.Rows == 0 {
		if plan, err = sample.Generate(ctx, w.DB(), o); err != nil {
			return plan, err
		}
	}
	if box == nil {
		return plan, nil
	}
	crm, ok := box.Simulated[sample.CRM].(seeder)
	if !ok || crm.Count(sample.CRMObject) > 0 {
		return plan, nil
	}
	var failed error
	err = crm.Seed(sample.CRMObject, []string{"Website", "Name"}, accounts(ctx, w, &failed))
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
		*failed = sample.Accounts(ctx, w.DB(), func(website, name string) bool {
			values[0], values[1] = website, name
			return yield(values)
		})
	}
}
