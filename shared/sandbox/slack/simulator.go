package slack

import (
	"fmt"
	"hash/fnv"
	"os"

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
		Token: "xoxb-penstock-sandbox", TeamID: team(s.Journal), Journal: s.Journal, Now: s.Now, AcceptChannels: s.Accept, Say: s.Notice,
		Channels: []Channel{{ID: "C0000000001", Name: "customer-health"}, {ID: "C0000000002", Name: "general"}},
	}
	if s.Names != "" {
		f, err := os.Open(s.Names)
		if err != nil {
			return nil, fmt.Errorf("read the channels of the simulated Slack: %w", err)
		}
		defer f.Close()
		own, err := ReadChannels(f)
		if err != nil {
			return nil, fmt.Errorf("read the channels of the simulated Slack in %s: %w", s.Names, err)
		}
		cfg.Channels = append(cfg.Channels, own...)
	}
	return New(cfg)
}

// team is the workspace's id: each journal is a workspace of its own.
func team(journal string) string {
	h := fnv.New64a()
	h.Write([]byte(journal))
	return fmt.Sprintf("T%010X", h.Sum64()&0xffffffffff)
}
