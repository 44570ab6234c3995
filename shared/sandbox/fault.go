package sandbox

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// A Fault makes the next Count matching requests misbehave. What it does is the
// sum of its fields: wait, act, answer in place of handling or after it, spoil the
// answer, drop it, or fail single records.
type Fault struct {
	// Match is a method ("PATCH"), a part of the path, or both ("PATCH /composite");
	// "" matches every request.
	Match string `json:"match,omitempty"`
	// Holding strikes only requests that have this text in their query or body, as it
	// stands there or percent-encoded: a record that fails every call that holds it.
	Holding string `json:"holding,omitempty"`
	// Count is how many requests it strikes (with FailRecords: how often each
	// record fails). 0 is once, negative is until cleared.
	Count int `json:"count,omitempty"`

	Status      int               `json:"status,omitempty"` // answer this instead of handling; 0 handles
	Body        string            `json:"body,omitempty"`
	ContentType string            `json:"content_type,omitempty"` // default application/json
	Headers     map[string]string `json:"headers,omitempty"`      // also of an answer that was handled

	Action          string `json:"action,omitempty"`            // one of Options.Actions, done first
	DelayMS         int    `json:"delay_ms,omitempty"`          // before handling; until the client gives up
	AfterCommit     bool   `json:"after_commit,omitempty"`      // handle first, then wait DelayMS and answer Status, if any
	DropAfterCommit bool   `json:"drop_after_commit,omitempty"` // handle, then close the connection unanswered

	// Cut keeps so many bytes of the answer's body; negative cuts so many off its end.
	// With DropAfterCommit the connection breaks there.
	Cut int `json:"cut,omitempty"`
	// Shorten takes so many elements off the end of the answer's outermost array,
	// Lengthen repeats its last one so often.
	Shorten  int `json:"shorten,omitempty"`
	Lengthen int `json:"lengthen,omitempty"`
	// Find is a regular expression (Go's); every match in the answer's body becomes
	// Replace, in which $1 is a submatch.
	Find    string `json:"find,omitempty"`
	Replace string `json:"replace,omitempty"`

	// FailRecords are names by which the vendor's handler knows a record (Salesforce:
	// its Id or any of its values; Slack: the channel). It refuses these one by one
	// with Code and Message, accepting the others.
	FailRecords []string `json:"fail_records,omitempty"`
	Code        string   `json:"code,omitempty"`
	Message     string   `json:"message,omitempty"`

	struck map[string]int // FailRecords: how often each has failed
	find   *regexp.Regexp
}

// matches reports whether the fault is meant for a request.
func (f *Fault) matches(r *http.Request) bool {
	method, path, both := strings.Cut(f.Match, " ")
	switch {
	case f.Match == "":
	case both:
		if method != r.Method || !strings.Contains(r.URL.Path, path) {
			return false
		}
	case f.Match != r.Method && !strings.Contains(r.URL.Path, f.Match):
		return false
	}
	return f.Holding == "" || f.holds(r)
}

// holds looks for the text in the query and the body, plain and percent-encoded.
func (f *Fault) holds(r *http.Request) bool {
	sent := []string{r.URL.RawQuery}
	if b, ok := r.Body.(*body); ok {
		sent = append(sent, string(b.raw))
	}
	for _, text := range sent {
		if strings.Contains(text, f.Holding) {
			return true
		}
		if plain, err := url.QueryUnescape(text); err == nil && strings.Contains(plain, f.Holding) {
			return true
		}
	}
	return false
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
	if f.Find != "" {
		var err error
		if f.find, err = regexp.Compile(f.Find); err != nil {
			return fmt.Errorf("find: %w", err)
		}
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
		if len(f.FailRecords) == 0 || !slices.Contains(f.FailRecords, name) || !f.matches(r) {
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
