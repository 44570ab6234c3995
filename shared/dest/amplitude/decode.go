package amplitude

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/penstock-data/penstock/shared/dest"
)

// An answer is a body of /batch, of any status. Maps are from a field to the indexes
// of events, or from an id to a count.
type answer struct {
	Code     int    `json:"code"`
	Error    string `json:"error"`
	Missing  string `json:"missing_field"`
	Ingested *int64 `json:"events_ingested"`

	InvalidFields map[string][]int `json:"events_with_invalid_fields"`
	MissingFields map[string][]int `json:"events_with_missing_fields"`
	InvalidIDs    map[string][]int `json:"events_with_invalid_id_lengths"`
	Silenced      []int            `json:"silenced_events"`
	SilencedIDs   []string         `json:"silenced_devices"`

	Throttled        []int                      `json:"throttled_events"`
	ThrottledUsers   map[string]json.RawMessage `json:"throttled_users"`
	ThrottledDevices map[string]json.RawMessage `json:"throttled_devices"`
	DailyUsers       map[string]json.RawMessage `json:"exceeded_daily_quota_users"`
	DailyDevices     map[string]json.RawMessage `json:"exceeded_daily_quota_devices"`
}

// read reads an answer; false, and nothing of it, when it is no whole JSON object.
func read(body []byte) (answer, bool) {
	var a answer
	d := json.NewDecoder(bytes.NewReader(body))
	ok := bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) && d.Decode(&a) == nil && !d.More()
	if !ok {
		return answer{}, false
	}
	return a, true
}

// faulty gives the outcomes of the events that a 400 names, nil for the others, and
// whether it names any.
func (a *answer) faulty(events []event) (named []*dest.Outcome, some bool) {
	named = make([]*dest.Outcome, len(events))
	mark := func(at int, code, field string) {
		if at < 0 || at >= len(events) || named[at] != nil {
			return // no event of ours
		}
		named[at] = &dest.Outcome{Status: dest.Rejected, Code: code, Field: field, Message: refusals[code]}
		some = true
	}
	for _, list := range []struct {
		code   string
		fields map[string][]int
	}{{codeIDLengths, a.InvalidIDs}, {codeMissingFields, a.MissingFields}, {codeInvalidFields, a.InvalidFields}} {
		for field, indexes := range list.fields {
			if field = dest.Code(field); slices.ContainsFunc(events, func(e event) bool { return e.record.Holds(field) }) {
				field = ""
			}
			for _, at := range indexes {
				mark(at, list.code, field)
			}
		}
	}
	for _, at := range a.Silenced {
		mark(at, codeSilenced, fieldDevice)
	}
	for i, e := range events {
		for _, id := range a.SilencedIDs {
			if e.device() == id {
				mark(i, codeSilenced, fieldDevice)
			}
		}
	}
	return named, some
}

// tooMany gives the outcomes of the events that a 429 names, nil for the others, and
// whether it names any. A user whose day is spent waits for hours.
func (a *answer) tooMany(events []event) (named []*dest.Outcome, some bool) {
	named = make([]*dest.Outcome, len(events))
	at := map[int]bool{}
	for _, i := range a.Throttled {
		at[i] = true
	}
	for i, e := range events {
		user, device := userID(e.record), e.device()
		switch {
		case holds(a.DailyUsers, user), holds(a.DailyDevices, device):
			named[i] = &dest.Outcome{Status: dest.Retry, Code: codeDay, After: afterDay, Message: "Amplitude takes no more events of this user today"}
		case at[i], holds(a.ThrottledUsers, user), holds(a.ThrottledDevices, device):
			named[i] = &dest.Outcome{Status: dest.Retry, Code: codeThrottled, After: afterThrottled, Message: "Amplitude gets too many events of this user at once"}
		default:
			continue
		}
		some = true
	}
	return named, some
}

func holds(m map[string]json.RawMessage, id string) bool {
	_, ok := m[id]
	return ok && id != ""
}

// device is the event's device id, "" when it has none of its own.
func (e *event) device() string {
	var id string
	if v := deviceOf(e.record); v != nil && json.Unmarshal(v, &id) != nil {
		return ""
	}
	return id
}
