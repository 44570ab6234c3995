package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A Fault makes the next Count matching requests misbehave. What it does is the
// sum of its fields: wait, act, answer Status instead of handling, handle but
// drop the answer, or fail single records.
type Fault struct {
	// Match is a method ("PATCH"), a part of the path, or both ("PATCH /composite");
	// "" matches every request.
	Match string `json:"match,omitempty"`
	// Count is how many requests it strikes (with FailRecords: how often each
	// record fails). 0 is once, negative is until cleared.
	Count int `json:"count,omitempty"`

	Status      int               `json:"status,omitempty"` // answer this instead of handling; 0 handles
	Body        string            `json:"body,omitempty"`
	ContentType string            `json:"content_type,omitempty"` // default application/json
	Headers     map[string]string `json:"headers,omitempty"`

	DelayMS         int    `json:"delay_ms,omitempty"`          // before anything else
	DropAfterCommit bool   `json:"drop_after_commit,omitempty"` // handle, then close the connection unanswered
	Action          string `json:"action,omitempty"`            // one of Options.Actions, done first

	// FailRecords are names by which the vendor's handler knows a record (Salesforce:
	// its Id or any of its values; Slack: the channel). It refuses these one by one
	// with Code and Message, accepting the others.
	FailRecords []string `json:"fail_records,omitempty"`
	Code        string   `json:"code,omitempty"`
	Message     string   `json:"message,omitempty"`

	struck map[string]int // FailRecords: how often each has failed
}

// matches reports whether the fault is meant for a request.
func (f *Fault) matches(r *http.Request) bool {
	method, path, both := strings.Cut(f.Match, " ")
	switch {
	case f.Match == "":
		return true
	case both:
		return method == r.Method && strings.Contains(r.URL.Path, path)
	default:
		return f.Match == r.Method || strings.Contains(r.URL.Path, f.Match)
	}
}

// AddFault arms a fault; they strike in the order they were added, one a request.
func (c *Core) AddFault(f Fault) error {
	if f.Count == 0 {
		f.Count = 1
	}
	if _, known := c.opts.Actions[f.Action]; f.Action != "" && !known {
		return fmt.Errorf("unknown action %q", f.Action)
	}
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		return fmt.Errorf("status %d: 200 to 599 are allowed", f.Status)
	}
	if len(f.FailRecords) > 0 && f.Code == "" {
		return fmt.Errorf("fail_records needs a code")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	f.struck = map[string]int{}
	c.faults = append(c.faults, &f)
	return nil
}

// Faults lists the faults that can still strike.
func (c *Core) Faults() []Fault {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]Fault, len(c.faults))
	for i, f := range c.faults {
		out[i] = *f
	}
	return out
}

// ClearFaults disarms all faults.
func (c *Core) ClearFaults() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = nil
}

// FailRecord asks whether one record of a request is to fail; vendors call it
// with each name the record is known by (id, external id, channel).
func (c *Core) FailRecord(r *http.Request, name string) (code, message string, fail bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.faults {
		if len(f.FailRecords) == 0 || !f.matches(r) || !slices.Contains(f.FailRecords, name) {
			continue
		}
		if f.Count > 0 && f.struck[name] >= f.Count {
			continue
		}
		f.struck[name]++
		return f.Code, f.Message, true
	}
	return "", "", false
}

// FailsRecords reports whether any record fault is armed, so that handlers can
// skip asking for every record.
func (c *Core) FailsRecords() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.faults, func(f *Fault) bool { return len(f.FailRecords) > 0 })
}

// take returns the request's fault, if any, and uses it up by one.
func (c *Core) take(r *http.Request) *Fault {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, f := range c.faults {
		if len(f.FailRecords) > 0 || !f.matches(r) {
			continue
		}
		struck := *f
		if f.Count > 0 {
			if f.Count--; f.Count == 0 {
				c.faults = slices.Delete(c.faults, i, i+1)
			}
		}
		return &struck
	}
	return nil
}

// interfere carries out what a fault does before handling, and reports whether
// the request is to be handled at all.
func (c *Core) interfere(w http.ResponseWriter, r *http.Request, f Fault) bool {
	if f.DelayMS > 0 {
		timer := time.NewTimer(time.Duration(f.DelayMS) * time.Millisecond)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
		}
	}
	if act := c.opts.Actions[f.Action]; act != nil {
		act()
	}
	if f.Status == 0 {
		return true
	}
	w.Header().Set("Content-Type", "application/json")
	if f.ContentType != "" {
		w.Header().Set("Content-Type", f.ContentType)
	}
	for k, v := range f.Headers {
		w.Header().Set(k, v)
	}
	w.WriteHeader(f.Status)
	io.WriteString(w, f.Body) //nolint:errcheck // the client may be gone; there is nobody to tell
	return false
}

// serveFaults is POST, GET and DELETE /_sandbox/faults.
func (c *Core) serveFaults(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPost:
		var f Fault
		dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
		dec.DisallowUnknownFields()
		err := dec.Decode(&f)
		if err == nil {
			err = c.AddFault(f)
		}
		if err != nil {
			http.Error(w, "not a fault: "+err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	case http.MethodGet:
		reply(w, c.Faults())
	case http.MethodDelete:
		c.ClearFaults()
		w.WriteHeader(http.StatusNoContent)
	default:
		http.Error(w, "POST adds a fault, GET lists them, DELETE clears them", http.StatusMethodNotAllowed)
	}
}
