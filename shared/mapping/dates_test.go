package mapping

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// TestClockChanges: what a clock turned forward leaves out moves forward by the gap,
// and of what one turned back shows twice the first is meant.
func TestClockChanges(t *testing.T) {
	for _, c := range []struct{ zone, in, want string }{
		{"Europe/Berlin", "2024-03-31 01:59:59", "2024-03-31T00:59:59.000Z"},
		{"Europe/Berlin", "2024-03-31 02:00:00", "2024-03-31T01:00:00.000Z"}, // 03:00
		{"Europe/Berlin", "2024-03-31 02:30:00", "2024-03-31T01:30:00.000Z"}, // 03:30
		{"Europe/Berlin", "2024-03-31 03:00:00", "2024-03-31T01:00:00.000Z"},
		{"Europe/Berlin", "2024-10-27 02:30:00", "2024-10-27T00:30:00.000Z"},
		{"Europe/Berlin", "2024-10-27 01:59:59.999", "2024-10-26T23:59:59.999Z"},
		{"Europe/Berlin", "2024-10-27 03:00:00", "2024-10-27T02:00:00.000Z"},
		{"Europe/Berlin", "2024-07-01 12:00:00", "2024-07-01T10:00:00.000Z"},
		{"America/New_York", "2024-03-10 02:30:00", "2024-03-10T07:30:00.000Z"}, // 03:30
		{"America/New_York", "2024-11-03 01:30:00", "2024-11-03T05:30:00.000Z"},
		{"America/New_York", "2024-03-10 01:30:00", "2024-03-10T06:30:00.000Z"},
		{"Australia/Lord_Howe", "2024-10-06 02:15:00", "2024-10-05T15:45:00.000Z"}, // half an hour: 02:45
		{"Australia/Lord_Howe", "2024-04-07 01:45:00", "2024-04-06T14:45:00.000Z"},
		{"Pacific/Apia", "2011-12-30 12:00:00", "2011-12-30T22:00:00.000Z"}, // a day that was left out: the 31st
		{"Pacific/Apia", "2011-12-31 00:00:00", "2011-12-30T10:00:00.000Z"},
		{"Asia/Kolkata", "2024-03-31 02:30:00", "2024-03-30T21:00:00.000Z"},
		{"America/New_York", "2024-03-10 02:30:00-05:00", "2024-03-10T07:30:00.000Z"},
	} {
		run(t, syncdef.Field{Type: syncdef.DateTime, TimeZone: c.zone}, []conv{{`"` + c.in + `"`, `"` + c.want + `"`}})
	}
}

// TestDateRange: what the destination would refuse is refused here, with its range.
func TestDateRange(t *testing.T) {
	both := syncdef.Rules{DateMin: "1700-01-01", DateMax: "4000-12-31"}
	for _, c := range []struct {
		rules    syncdef.Rules
		field    syncdef.Field
		in, want string // value, or the range that the message names
	}{
		{both, syncdef.Field{Type: syncdef.Date}, `"1700-01-01"`, `"1700-01-01"`}, {both, syncdef.Field{Type: syncdef.Date}, `"4000-12-31"`, `"4000-12-31"`},
		{both, syncdef.Field{Type: syncdef.Date}, `"4000-12-31 23:59:59"`, `"4000-12-31"`},
		{both, syncdef.Field{Type: syncdef.Date}, `"1699-12-31"`, "from 1700-01-01 to 4000-12-31"}, {both, syncdef.Field{Type: syncdef.Date}, `"9999-12-31"`, "from 1700-01-01 to 4000-12-31"},
		{both, syncdef.Field{Type: syncdef.DateTime}, `"1700-01-01 00:00:00Z"`, `"1700-01-01T00:00:00.000Z"`}, {both, syncdef.Field{Type: syncdef.DateTime}, `"4000-12-31T00:00:00Z"`, `"4000-12-31T00:00:00.000Z"`},
		{both, syncdef.Field{Type: syncdef.DateTime}, `"1700-01-01T00:00:00+00:01"`, "from 1700-01-01 to 4000-12-31"}, {both, syncdef.Field{Type: syncdef.DateTime}, `"4000-12-31T00:00:00.001Z"`, "from 1700-01-01 to 4000-12-31"},
		{both, syncdef.Field{Type: syncdef.DateTime, Format: "epoch_seconds"}, `99999999999`, "from 1700-01-01 to 4000-12-31"},
		{both, syncdef.Field{Type: syncdef.Date, Format: "epoch_seconds"}, `99999999999`, "from 1700-01-01 to 4000-12-31"},
		{syncdef.Rules{}, syncdef.Field{Type: syncdef.Date}, `"0001-01-01"`, `"0001-01-01"`}, {syncdef.Rules{}, syncdef.Field{Type: syncdef.DateTime}, `"9999-12-31"`, `"9999-12-31T00:00:00.000Z"`},
		{syncdef.Rules{DateMin: "1970-01-01"}, syncdef.Field{Type: syncdef.Date}, `"1969-12-31"`, "of 1970-01-01 or later"}, {syncdef.Rules{DateMin: "1970-01-01"}, syncdef.Field{Type: syncdef.Date}, `"9999-12-31"`, `"9999-12-31"`},
		{syncdef.Rules{DateMax: "2038-01-19"}, syncdef.Field{Type: syncdef.Date}, `"2038-01-20"`, "of 2038-01-19 or earlier"},
	} {
		c.field.Source, c.field.Destination = "v", "V"
		m := compiledRules(t, &syncdef.Definition{Sync: "s", RecordID: []string{"id"}, Fields: []syncdef.Field{c.field}}, c.rules)
		mapped, fault := m.Map(jsontext.Value(`{"id":1,"v":` + c.in + `}`))
		switch {
		case fault == nil && string(mapped.Values[0]) == c.want:
		case fault != nil && fault.Rule == "out_of_range" && fault.Field == "v" && strings.Contains(fault.Message, c.want):
		default:
			t.Errorf("%s: %s %v, want %s", c.in, mapped.Values, fault, c.want)
		}
	}
	_, err := Compile(&syncdef.Definition{Sync: "s", RecordID: []string{"id"}, Fields: []syncdef.Field{{Source: "v", Destination: "V", Type: syncdef.Date, Default: ptr("1600-01-01")}}}, both)
	if err == nil {
		t.Error("a default beyond the range passes")
	}
}
