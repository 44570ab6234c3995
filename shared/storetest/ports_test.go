package storetest

import (
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/pipeline/intake"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
)

// A Store fits wherever the pipeline needs storage.
var (
	_ = []intake.Syncs{Store(nil)}
	_ = []intake.Connections{Store(nil)}
	_ = []intake.Runs{Store(nil)}
	_ = []intake.Batches{Store(nil)}
	_ = []intake.Chunks{Store(nil)}
	_ = []intake.Errors{Store(nil)}
	_ = []intake.Queue{Store(nil)}

	_ = []deliver.Syncs{Store(nil)}
	_ = []deliver.Connections{Store(nil)}
	_ = []deliver.Tokens{Store(nil)}
	_ = []deliver.Runs{Store(nil)}
	_ = []deliver.Chunks{Store(nil)}
	_ = []deliver.Halts{Store(nil)}
	_ = []deliver.Ledger{Store(nil)}
	_ = []deliver.Errors{Store(nil)}
	_ = []deliver.Visibility{Store(nil)}
	_ = []deliver.Freshness{Store(nil)}
	_ = []deliver.Listing{Store(nil)}
	_ = []deliver.Verifications{Store(nil)}

	_ = []runs.Syncs{Store(nil)}
	_ = []runs.Definitions{Store(nil)}
	_ = []runs.Connections{Store(nil)}
	_ = []runs.Runs{Store(nil)}
	_ = []runs.History{Store(nil)}
	_ = []runs.Marks{Store(nil)}
	_ = []runs.Errors{Store(nil)}
	_ = []runs.Due{Store(nil)}
	_ = []runs.Ledger{Store(nil)}
	_ = []runs.Mirrors{Store(nil)}
	_ = []intake.Seen{Store(nil)}
	_ = []runs.Halts{Store(nil)}
	_ = []runs.Firings{Store(nil)}
	_ = []runs.Freshness{Store(nil)}
	_ = []runs.Overviews{Store(nil)}
	_ = []runs.Some{Store(nil)}
	_ = []runs.Lists{Store(nil)}
	_ = []runs.Places{Store(nil)}
	_ = []runs.Told{Store(nil)}
	_ = []runs.Verifications{Store(nil)}
	_ = []runs.Depths{Store(nil)}
	_ = []runs.Quotas{Store(nil)}
	_ = []runs.Pauses{Store(nil)}
	_ = []intake.Pauses{Store(nil)}
	_ = []runs.Audit{Store(nil)}
)
