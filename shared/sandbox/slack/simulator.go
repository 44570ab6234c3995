package slack

import (
	"fmt"
	"os"
	"time"

	"github.com/penstock-data/penstock/shared/sandbox"
)

// Sandbox is this simulator as a value.
var Sandbox = sandbox.Simulator{
	Type: "slack", Title: "Slack",
	Secret: map[string]string{"token": "xoxb-penstock-sandbox"},
	Open:   open,
	Hints:  []string{"curl URL/_sandbox/records"},
}

func open(s sandbox.Settings) (sandbox.Simulated, error) {
	cfg := Config{
		TeamID: newTeam(), // a new one each time that no journal is kept, since its messages are new
		Token:  "xoxb-penstock-sandbox", Journal: s.Journal, Now: s.Now, AcceptChannels: s.Accept, Say: s.Notice,
		Spacing: s.Window(time.Second), Minute: s.Window(time.Minute),
		Channels: []Channel{{ID: "C0000000001", Name: "customer-health"}, {ID: "C0000000002", Name: "general"}},
	}
	if s.Names != "" {
		f, err := os.Open(s.Names)
		if err != nil {
			return nil, fmt.Errorf("read the channels of the simulated Slack: %w", err)
		}
		defer f.Close()
		own, scopes, err := readWorkspace(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Names, err)
		}
		cfg.Channels, cfg.Scopes = append(cfg.Channels, own...), scopes
	}
	return New(cfg)
}
