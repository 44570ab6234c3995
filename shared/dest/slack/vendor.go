package slack

import (
	"net/http"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/netguard"
)

// Vendor is Slack as a destination type.
var Vendor = dest.Vendor{Kind: Kind, Open: open}

// open makes the account of a connection.
func open(cfg dest.Config) (dest.Account, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.HTTP == nil {
		cfg.HTTP = &http.Client{Timeout: 30 * time.Second, Transport: netguard.Transport(cfg.Loopback)}
	}
	base, err := baseURL(cfg.Connection.URL)
	if err != nil {
		return nil, &dest.CallError{Op: "open Slack", Class: dest.Configuration, Scope: dest.ScopeConnection, Code: "invalid_url",
			Message: "connection " + cfg.Connection.Name + ": " + err.Error()}
	}
	return &account{client: newClient(cfg, base), now: cfg.Now}, nil
}
