package slack

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// history is conversations.history: newest first, a page at a time.
func (s *Server) history(_ *http.Request, args url.Values) (any, error) {
	channel, err := s.byID(args.Get("channel"))
	if err != nil {
		return nil, err
	}
	scope := scopeHistory
	if channel.Private {
		scope = scopePrivateHistory
	}
	if err := s.need(scope); err != nil {
		return nil, err
	}
	if err := member(channel); err != nil {
		return nil, err
	}
	inRange, err := timeRange(args)
	if err != nil {
		return nil, err
	}
	var found []int // rows, so that only a page of them is read
	rows := s.store.Table(messageTable.Name)
	for _, row := range slices.Backward(rows.Select(&records.Condition{Op: records.Equal, Column: columnChannel, Values: [][]byte{[]byte(channel.ID)}})) {
		at, err := parseTS(string(rows.Get(row, columnTS)))
		if err != nil {
			return nil, err
		}
		if inRange(at) {
			found = append(found, row)
		}
	}
	page, next, err := paginate(found, args, 100)
	if err != nil {
		return nil, err
	}
	events := make([]map[string]any, len(page))
	for i, row := range page {
		events[i] = s.event(s.message(row), flag(args.Get("include_all_metadata")))
	}
	answer := map[string]any{"ok": true, "messages": events, "has_more": next != "", "pin_count": 0}
	if next != "" {
		answer["response_metadata"] = map[string]any{"next_cursor": next}
	}
	return answer, nil
}

// timeRange reads oldest, latest and inclusive.
func timeRange(args url.Values) (func(micros int64) bool, error) {
	oldest, latest := int64(-1), int64(1<<62)
	var err error
	if v := args.Get("oldest"); v != "" {
		if oldest, err = parseTS(v); err != nil {
			return nil, err
		}
	}
	if v := args.Get("latest"); v != "" {
		if latest, err = parseTS(v); err != nil {
			return nil, fail("invalid_ts_latest")
		}
	}
	inclusive := flag(args.Get("inclusive"))
	return func(at int64) bool {
		return at > oldest && at < latest || inclusive && (at == oldest || at == latest)
	}, nil
}

// list is conversations.list.
func (s *Server) list(_ *http.Request, args url.Values) (any, error) {
	types := strings.Split(args.Get("types"), ",")
	if args.Get("types") == "" {
		types = []string{"public_channel"}
	}
	public, private := slices.Contains(types, "public_channel"), slices.Contains(types, "private_channel")
	for _, t := range types {
		if t != "public_channel" && t != "private_channel" {
			return nil, fail("invalid_types")
		}
	}
	if public {
		if err := s.need(scopeRead); err != nil {
			return nil, err
		}
	}
	if private {
		if err := s.need(scopePrivateRead); err != nil {
			return nil, err
		}
	}
	var found []Channel
	for _, row := range s.store.Table(channelTable.Name).Select(nil) {
		c := s.channel(row)
		hidden := c.Private && c.Outside || c.Archived && flag(args.Get("exclude_archived"))
		if !hidden && (c.Private && private || !c.Private && public) {
			found = append(found, c)
		}
	}
	page, next, err := paginate(found, args, 100)
	if err != nil {
		return nil, err
	}
	channels := make([]map[string]any, len(page))
	for i, c := range page {
		channels[i] = map[string]any{"id": c.ID, "name": c.Name, "name_normalized": c.Name, "is_channel": !c.Private,
			"is_group": c.Private, "is_private": c.Private, "is_archived": c.Archived, "is_member": !c.Outside}
	}
	return map[string]any{"ok": true, "channels": channels, "response_metadata": map[string]any{"next_cursor": next}}, nil
}

// authTest is auth.test.
func (s *Server) authTest(_ *http.Request, _ url.Values) (any, error) {
	return map[string]any{"ok": true, "url": "https://penstock-sandbox.slack.com/", "team": "Penstock sandbox",
		"user": "penstock", "team_id": s.cfg.TeamID, "user_id": userID, "bot_id": botID, "is_enterprise_install": false}, nil
}

// paginate cuts a page out of all and gives the cursor of the next one, "" at the
// end. A cursor names the first item's position from the far end, so that what is
// added at the front between two calls moves nothing.
func paginate[T any](all []T, args url.Values, byDefault int) ([]T, string, error) {
	limit := byDefault
	if v := args.Get("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > 1000 {
			return nil, "", fail("invalid_limit")
		}
		limit = min(n, 999)
	}
	start := 0
	if v := args.Get("cursor"); v != "" {
		raw, err := base64.StdEncoding.DecodeString(v)
		left, numErr := strconv.Atoi(strings.TrimPrefix(string(raw), "left:"))
		if err != nil || numErr != nil || left < 0 || left > len(all) {
			return nil, "", fail("invalid_cursor")
		}
		start = len(all) - left
	}
	end := min(len(all), start+limit)
	if end == len(all) {
		return all[start:], "", nil
	}
	return all[start:end], base64.StdEncoding.EncodeToString([]byte("left:" + strconv.Itoa(len(all)-end))), nil
}
