package worker

import (
	"context"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Secrets reads a connection's secret by its name.
type Secrets func(ctx context.Context, connection syncdef.Connection, name string) (map[string]string, error)

// Open makes the accounts of a vendor's connections. The secret is read by its
// name, or the connection's, when a call first needs it.
func Open(v dest.Vendor, cfg dest.Config, secrets Secrets) func(syncdef.Connection) (dest.Account, error) {
	return func(c syncdef.Connection) (dest.Account, error) {
		name := c.Secret
		if name == "" {
			name = c.Name
		}
		cfg := cfg
		cfg.Connection = c
		cfg.Secret = func(ctx context.Context) (map[string]string, error) { return secrets(ctx, c, name) }
		return v.Open(cfg)
	}
}

// Undelivered is the Open of workers that empty dead-letter queues: it links no vendor and
// opens no account.
func Undelivered(syncdef.Connection) (dest.Account, error) {
	return nil, &dest.CallError{Op: "open the connection", Class: dest.Configuration, Message: "dead letters are stored as errors, not delivered"}
}
