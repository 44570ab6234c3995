package amplitude

import (
	"errors"
	"time"

	"github.com/penstock-data/penstock/shared/sandbox"
)

const sandboxKey = "amplitude-penstock-sandbox"

// Sandbox is this simulator as a value.
var Sandbox = sandbox.Simulator{
	Type: "amplitude", Title: "Amplitude",
	Secret: map[string]string{"api_key": sandboxKey},
	Open:   open,
	Hints:  []string{"curl URL/_sandbox/records"},
}

func open(s sandbox.Settings) (sandbox.Simulated, error) {
	if s.Names != "" {
		return nil, errors.New("the simulated Amplitude takes no file of names: every property is made when it is first set")
	}
	return New(Config{APIKey: sandboxKey, Journal: s.Journal, Now: s.Now, Span: s.Window(shortSpan), Hour: s.Window(time.Hour)})
}
