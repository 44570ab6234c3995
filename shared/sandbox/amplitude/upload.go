package amplitude

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"net/http"
	"strings"

	"github.com/penstock-data/penstock/shared/sandbox"
)

// limitsOf are one path's limits of a request, and how it names faulty events.
type limitsOf struct {
	events, bytes int
	first         bool // only the first
	perSecond     int  // of a user or device
}

// upload is POST /batch and /2/httpapi.
func (s *Server) upload(l limitsOf) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		status, answer := s.take(r, l)
		write(w, status, answer)
	}
}

// take judges a request as a whole, then its events, and takes all of them or none.
func (s *Server) take(r *http.Request, l limitsOf) (int, map[string]any) {
	bad := func(text string) (int, map[string]any) { return http.StatusBadRequest, refusal(text) }
	missing := func(field string) (int, map[string]any) {
		answer := refusal("Request missing required field")
		answer["missing_field"] = field
		return http.StatusBadRequest, answer
	}
	body, err := content(r)
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return bad("Invalid JSON request body")
	}
	if len(body) > l.bytes {
		return http.StatusRequestEntityTooLarge, tooLarge()
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return bad("Missing request body")
	}
	var in struct {
		APIKey  *string           `json:"api_key"`
		Events  []json.RawMessage `json:"events"`
		Options struct {
			MinID *int `json:"min_id_length"`
		} `json:"options"`
	}
	if json.Unmarshal(body, &in) != nil {
		return bad("Invalid JSON request body")
	}
	switch {
	case in.APIKey == nil:
		return missing("api_key")
	case *in.APIKey != s.cfg.APIKey:
		return bad("Invalid API key: " + *in.APIKey)
	case len(in.Events) == 0:
		return missing("events")
	case len(in.Events) > l.events:
		return http.StatusRequestEntityTooLarge, tooLarge()
	}
	least := 5
	if in.Options.MinID != nil {
		least = *in.Options.MinID
	}
	events := make([]event, len(in.Events))
	for i, raw := range in.Events {
		if json.Unmarshal(raw, &events[i].fields) != nil || events[i].fields == nil {
			return bad("Invalid event JSON")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if status, answer := s.judge(r, events, least, l); answer != nil {
		return status, answer
	}
	if err := s.apply(events); err != nil {
		return http.StatusInternalServerError, map[string]any{"code": 500, "error": "the journal failed"}
	}
	return http.StatusOK, map[string]any{"code": 200, "events_ingested": len(events), "payload_size_bytes": len(body), "server_upload_time": s.core.Now().UnixMilli()}
}

func tooLarge() map[string]any { return map[string]any{"code": 413, "error": "Payload too large"} }

// content is a request's body, unpacked.
func content(r *http.Request) ([]byte, error) {
	body, err := sandbox.Body(r)
	if err != nil || !strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip") {
		return body, err
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(z, 64<<20))
}

// A named is the lists of an answer that refuses some events.
type named struct {
	first bool
	lists map[string]map[string][]int // member -> field -> indexes
	least int                         // the first index that is named
}

// add names an event, in /2/httpapi's way the first one only.
func (n *named) add(member, field string, at int) {
	if n.lists == nil {
		n.lists, n.least = map[string]map[string][]int{}, at
	}
	if n.first && at != n.least {
		return
	}
	if n.lists[member] == nil {
		n.lists[member] = map[string][]int{}
	}
	n.lists[member][field] = append(n.lists[member][field], at)
}

// The members of a 400, in the order in which Server.judge looks for them, and its
// error then.
var kinds = []struct{ member, text string }{
	{"events_with_invalid_id_lengths", "Invalid id length for user_id or device_id"},
	{"events_with_missing_fields", "Request missing required field"},
	{"events_with_invalid_fields", "Invalid field values on some events"},
}

// judge is the answer that refuses events; nil when all are taken. Faults of the
// test's come beside the events' own.
func (s *Server) judge(r *http.Request, events []event, least int, l limitsOf) (int, map[string]any) {
	n := named{first: l.first}
	struck := map[string][]int{}
	asks, types := s.core.FailsRecords(), maps.Clone(s.groupTypes)
	for i := range events {
		e := &events[i]
		if asks {
			if code, field, fails := s.core.FailRecord(r, e.text("user_id")); fails {
				struck[code] = append(struck[code], i)
				if strings.HasPrefix(code, "events_with_") {
					n.add(code, field, i)
				}
				continue
			}
		}
		member, field := e.check(least)
		if member == "" && !roomFor(types, e) {
			member, field = "events_with_invalid_fields", "groups"
		}
		if member != "" {
			n.add(member, field, i)
		}
	}
	for _, kind := range kinds {
		if fields := n.lists[kind.member]; fields != nil {
			answer := refusal(kind.text)
			answer[kind.member] = fields
			return http.StatusBadRequest, answer
		}
	}
	if at := struck["silenced_events"]; at != nil {
		answer := refusal("Events silenced for device_id")
		answer["silenced_events"], answer["silenced_devices"] = at, devices(events, at)
		return http.StatusBadRequest, answer
	}
	return s.throttle(events, struck, l)
}

// devices are the ids that events at these indexes are counted under.
func devices(events []event, at []int) []string {
	out := []string{}
	for _, i := range at {
		out = append(out, events[i].device())
	}
	return out
}
