package sandbox

import (
	"encoding/json"
	"maps"
	"net/http"
	"time"
)

// Stats are what a simulator counted since it started or since the last reset.
type Stats struct {
	Total   int64            `json:"total"`       // requests to the vendor's API, faulted ones included
	By      map[string]int64 `json:"by"`          // the same by label: "PATCH /composite/sobjects/Account"
	Seconds float64          `json:"seconds"`     // wall time inside the handlers, summed
	CPU     float64          `json:"cpu_seconds"` // CPU time inside the handlers; 0 unless Options.ThreadCPU
}

// Calls reads the statistics.
func (c *Core) Calls() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.By = maps.Clone(s.By)
	return s
}

// ResetCalls starts counting afresh.
func (c *Core) ResetCalls() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats = Stats{By: map[string]int64{}}
}

// count books one request.
func (c *Core) count(label string, wall, cpu time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Total++
	c.stats.By[label]++
	c.stats.Seconds += wall.Seconds()
	c.stats.CPU += cpu.Seconds()
}

// serveCalls is GET and DELETE /_sandbox/calls.
func (c *Core) serveCalls(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
		reply(w, c.Calls())
	case http.MethodDelete:
		c.ResetCalls()
		w.WriteHeader(http.StatusNoContent)
	default:
		http.Error(w, "GET reads the counts, DELETE resets them", http.StatusMethodNotAllowed)
	}
}

// reply answers a control request.
func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v) //nolint:errcheck // the client may be gone; there is nobody to tell
}
