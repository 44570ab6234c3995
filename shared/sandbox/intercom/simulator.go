package intercom

import (
	"fmt"
	"os"

	"github.com/penstock-data/penstock/shared/sandbox"
)

// Sandbox is this simulator as a value.
var Sandbox = sandbox.Simulator{
	Type: "intercom", Title: "Intercom",
	Secret: map[string]string{"token": sandboxToken},
	Open:   openSandbox,
	Hints:  []string{"curl URL/_sandbox/records"},
}

const sandboxToken = "intercom-penstock-sandbox"

func openSandbox(s sandbox.Settings) (sandbox.Simulated, error) {
	cfg := Config{Token: sandboxToken, Journal: s.Journal, Now: s.Now, Window: s.Window(window), AcceptAttributes: s.Accept, Say: s.Notice, Attributes: DefaultAttributes()}
	if s.Names != "" {
		f, err := os.Open(s.Names)
		if err != nil {
			return nil, fmt.Errorf("read the attributes of the simulated Intercom: %w", err)
		}
		defer f.Close()
		own, denied, err := readWorkspace(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Names, err)
		}
		cfg.Attributes, cfg.Denied = append(cfg.Attributes, own...), denied
	}
	return New(cfg)
}
