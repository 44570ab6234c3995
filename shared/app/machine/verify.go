package machine

import (
	"math/rand/v2"
	"time"

	"github.com/penstock-data/penstock/shared/app/worker"
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Verifier is a worker for commands over a state in which a Machine may work at the same
// time: it takes no messages, reads records of one destination type back, and compares
// them with the ledger. open makes the accounts.
func Verifier(s *sqlite.Store, kind string, open func(syncdef.Connection) (dest.Account, error)) *deliver.Deliver {
	return delivering(s, kind, open)
}

// delivering is a destination type's end of the road over a state.
func delivering(s *sqlite.Store, kind string, open func(syncdef.Connection) (dest.Account, error)) *deliver.Deliver {
	return &deliver.Deliver{
		Queue: kind, Syncs: s, Connections: s, Tokens: s, Runs: s, Chunks: s, Unchanged: s, Halts: s, Ledger: s, Errors: s, Visibility: s, Freshness: s, Listing: s, Verifications: s,
		Open: open, Now: time.Now, Sleep: worker.Sleep, Rand: rand.Float64, Hidden: visibility,
	}
}
