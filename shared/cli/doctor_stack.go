package cli

import (
	"context"

	"github.com/penstock-data/penstock/shared/app/doctor"
)

// stack examines a stack.
func (e *examination) stack(ctx context.Context) []doctor.Finding { return nil }
