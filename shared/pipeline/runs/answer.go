package runs

import (
	"encoding/json"
)

// The answers hold cursors as raw JSON scalars, and are JSON themselves: a cursor
// stands in them as the number or text that it is, never as JSON within a string.

// MarshalJSON writes the answer of penstock_status; a watermark that there is not is null.
func (s SyncStatus) MarshalJSON() ([]byte, error) {
	type plain SyncStatus
	mark := json.RawMessage("null")
	if s.Watermark != "" {
		mark = json.RawMessage(s.Watermark)
	}
	return json.Marshal(struct {
		plain
		Watermark json.RawMessage `json:"watermark"`
	}{plain(s), mark})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *SyncStatus) UnmarshalJSON(b []byte) error {
	type plain SyncStatus
	var in struct {
		plain
		Watermark json.RawMessage `json:"watermark"`
	}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	*s = SyncStatus(in.plain)
	s.Watermark = scalar(in.Watermark)
	return nil
}

// cursors are the raw scalars of a run.
type cursors struct {
	From   json.RawMessage `json:"from,omitempty"`
	Cursor json.RawMessage `json:"cursor,omitempty"`
	Hold   json.RawMessage `json:"hold,omitempty"`
	Since  json.RawMessage `json:"since,omitempty"`
}

// MarshalJSON writes a run of an answer. Its id is run there, as in every other answer.
func (r RunStatus) MarshalJSON() ([]byte, error) {
	type plain RunStatus
	return json.Marshal(struct {
		Run string `json:"run"`
		plain
		cursors
		Hidden *struct{} `json:"id,omitempty"`
	}{Run: r.ID, plain: plain(r), cursors: cursors{json.RawMessage(r.From), json.RawMessage(r.Cursor), json.RawMessage(r.Hold), json.RawMessage(r.Since)}})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *RunStatus) UnmarshalJSON(b []byte) error {
	type plain RunStatus
	var in struct {
		Run string `json:"run"`
		plain
		cursors
	}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	*r = RunStatus(in.plain)
	r.ID = in.Run
	r.From, r.Cursor, r.Hold, r.Since = scalar(in.From), scalar(in.Cursor), scalar(in.Hold), scalar(in.Since)
	return nil
}

// scalar is a raw scalar, "" for null.
func scalar(b json.RawMessage) string {
	if string(b) == "null" {
		return ""
	}
	return string(b)
}
