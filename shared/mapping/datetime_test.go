package mapping

import (
	"fmt"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/syncdef"
)

func TestDateTime(t *testing.T) {
	const at = `"2024-01-15T10:30:00.000Z"`
	run(t, syncdef.Field{Type: syncdef.DateTime}, []conv{
		{`"2024-01-15T10:30:00Z"`, at}, {`"2024-01-15T10:30:00.000Z"`, at}, {`"2024-01-15 10:30:00"`, at}, {`"2024-01-15T10:30"`, at}, {`"2024-01-15 10:30:00.000"`, at},
		{`"2024-01-15 10:30:00 UTC"`, at}, {`"2024-01-15 10:30:00+0000"`, at}, {`"2024-01-15 10:30:00+00:00"`, at}, {`"2024-01-15 10:30:00+00"`, at}, {`"2024-01-15t10:30:00z"`, at},
		{`"Mon, 15 Jan 2024 10:30:00 +0000"`, at}, {`"Mon, 15 Jan 2024 02:30:00 -0800"`, at}, {`"Mon, 15 Jan 2024 10:30:00 GMT"`, at}, {`"Mon, 15 Jan 2024 10:30:00 Z"`, at}, {`"Mon, 15 Jan 2024 10:30:00"`, at},
		{`"2024-01-15T02:30:00.000 -0800"`, at}, {`"2024-01-15 11:30:00+01:00"`, at}, {`"2024-01-15 16:00:00+05:30"`, at}, {`" 2024-01-15 10:30:00 "`, at}, {`"2024-01-15\u002010:30:00"`, at},
		{`"2024-01-15 10:30:00.123456"`, `"2024-01-15T10:30:00.123Z"`}, {`"2024-01-15 10:30:00.123999999Z"`, `"2024-01-15T10:30:00.123Z"`}, {`"2024-01-15 10:30:00.5"`, `"2024-01-15T10:30:00.500Z"`},
		{`"2024-01-15"`, `"2024-01-15T00:00:00.000Z"`}, {`"2024-02-29 23:59:59-01:00"`, `"2024-03-01T00:59:59.000Z"`}, {`"1900-01-01 00:00:00"`, `"1900-01-01T00:00:00.000Z"`},
		{`"2023-02-29"`, `not_a_datetime`}, {`"2024-13-01"`, `not_a_datetime`}, {`"2024-00-10"`, `not_a_datetime`}, {`"2024-01-32"`, `not_a_datetime`}, {`"2024-01-15 24:00:00"`, `not_a_datetime`},
		{`"2024-01-15 10:60:00"`, `not_a_datetime`}, {`"2024-01-15 10:30:60"`, `not_a_datetime`}, {`"2024-01-15 10:30:00 PST"`, `not_a_datetime`}, {`"2024-01-15 10:30:00."`, `not_a_datetime`},
		{`"2024-01-15 10:30:00+99:00"`, `not_a_datetime`}, {`"2024-01-15 10:30:00+1"`, `not_a_datetime`}, {`"0000-01-01"`, `not_a_datetime`}, {`"0001-01-01 00:00:00+01:00"`, `not_a_datetime`},
		{`"2024-1-5"`, `not_a_datetime`}, {`"2024-0x-15"`, `not_a_datetime`}, {`"20x4-01-15"`, `not_a_datetime`}, {`"x024-01-15"`, `not_a_datetime`}, {`"2024-01-15 1x:30:00"`, `not_a_datetime`}, {`"2024-01-15 10:30:00+0x00"`, `not_a_datetime`}, {`"2024-01-15 10:30:00\ud800"`, `not_a_datetime`}, {`"15/01/2024"`, `not_a_datetime`}, {`"yesterday"`, `not_a_datetime`}, {`"2024-01-15x"`, `not_a_datetime`}, {`"Mon, 15 Jan 2024 10:30:00 PST"`, `not_a_datetime`},
		{`""`, `null`}, {`" "`, `null`}, {`"infinity"`, `not_a_datetime`}, {`"-Infinity"`, `not_a_datetime`}, {`1705314600`, `not_a_datetime`}, {`true`, `not_a_datetime`}, {`{}`, `not_a_datetime`}, {`null`, `null`},
	})
	run(t, syncdef.Field{Type: syncdef.DateTime, TimeZone: "America/New_York"}, []conv{
		{`"2024-01-15 05:30:00"`, at}, {`"2024-07-15 06:30:00"`, `"2024-07-15T10:30:00.000Z"`}, {`"2024-01-15 10:30:00Z"`, at}, {`"2024-01-15"`, `"2024-01-15T05:00:00.000Z"`}, {`"Mon, 15 Jan 2024 05:30:00"`, at},
		{`"9999-12-31 23:00:00"`, `not_a_datetime`},
	})
	run(t, syncdef.Field{Type: syncdef.DateTime, Format: "epoch_seconds"}, []conv{
		{`1705314600`, at}, {`"1705314600"`, at}, {`1705314600.000000000`, at}, {`1.7053146e9`, at}, {`1705314600.1239`, `"2024-01-15T10:30:00.123Z"`}, {`0`, `"1970-01-01T00:00:00.000Z"`},
		{`-1`, `"1969-12-31T23:59:59.000Z"`}, {`-0.0001`, `"1969-12-31T23:59:59.999Z"`}, {`1e-30`, `"1970-01-01T00:00:00.000Z"`},
		{`253402300799`, `"9999-12-31T23:59:59.000Z"`}, {`253402300800`, `not_a_datetime`}, {`1e999`, `not_a_datetime`}, {`-1e13`, `not_a_datetime`}, {`"2024-01-15"`, `not_a_datetime`}, {`true`, `not_a_datetime`},
	})
	run(t, syncdef.Field{Type: syncdef.DateTime, Format: "epoch_milliseconds"}, []conv{{`1705314600000`, at}, {`"1705314600000.9"`, at}, {`-1.5`, `"1969-12-31T23:59:59.998Z"`}})
}

func TestDate(t *testing.T) {
	run(t, syncdef.Field{Type: syncdef.Date, TimeZone: "Asia/Tokyo"}, []conv{
		{`"2024-01-15"`, `"2024-01-15"`}, {`"2024-01-15 23:30:00"`, `"2024-01-15"`}, {`"2024-01-15T23:30:00.123-08:00"`, `"2024-01-15"`}, {`"Mon, 15 Jan 2024 23:30:00 +0000"`, `"2024-01-15"`},
		{`"2024-02-30"`, `not_a_date`}, {`"20240115"`, `not_a_date`}, {`""`, `null`}, {`"\t"`, `null`}, {`"-infinity"`, `not_a_date`}, {`20240115`, `not_a_date`}, {`[]`, `not_a_date`}, {`null`, `null`},
	})
	run(t, syncdef.Field{Type: syncdef.Date, Format: "epoch_seconds", TimeZone: "Asia/Tokyo"}, []conv{{`1705330799`, `"2024-01-15"`}, {`1705330800`, `"2024-01-16"`}})
	run(t, syncdef.Field{Type: syncdef.Date, Format: "epoch_milliseconds"}, []conv{{`1705363199999`, `"2024-01-15"`}, {`1705363200000`, `"2024-01-16"`}})
}

// TestCivilAgainstTime compares the hand-written parser with the standard library's.
func TestCivilAgainstTime(t *testing.T) {
	start := time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC)
	for i := range 4000 {
		at := start.AddDate(0, 0, i*911).Add(time.Duration(i) * 977 * time.Second)
		for _, form := range []string{"2006-01-02 15:04:05.999", "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05.000 -0700"} {
			text := at.In(time.FixedZone("", (i%57-28)*1800)).Format(form)
			var c civil
			ok := c.parse([]byte(text))
			std, err := time.Parse(form, text)
			if ok != (err == nil) {
				t.Fatalf("%s: %v, time.Parse says %v", text, ok, err)
			}
			u := c
			inside := u.toUTC(time.UTC)
			std = std.UTC()
			if std.Year() < 1 || std.Year() > 9999 {
				if inside {
					t.Errorf("%s lies outside the years 1 to 9999", text)
				}
				continue
			}
			if got, want := fmt.Sprint(u.year, u.month, u.day, u.hour, u.minute, u.second), fmt.Sprint(std.Year(), int(std.Month()), std.Day(), std.Hour(), std.Minute(), std.Second()); got != want {
				t.Errorf("%s: %s, want %s", text, got, want)
			}
		}
	}
}
