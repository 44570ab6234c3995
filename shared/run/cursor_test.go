package run

import (
	"strings"
	"testing"
	"time"
)

func TestReadCursor(t *testing.T) {
	for _, c := range []struct {
		raw  string
		kind CursorType // "" is unreadable
	}{
		{`5`, NumberCursor},
		{`"9223372036854775807"`, NumberCursor},
		{`"65000000000000000001"`, TextCursor}, // an id in hexadecimal
		{`-5.25e3`, NumberCursor},
		{`"2024-05-01"`, TimestampCursor},
		{`"2024/05/01"`, TimestampCursor},
		{`"2024-05-01 10:00:00"`, TimestampCursor},
		{`"2024-05-01T10:00"`, TimestampCursor},
		{`"2024-05-01T10:00:00.123456789Z"`, TimestampCursor},
		{`"2024-05-01 10:00:00.000 +0000"`, TimestampCursor},
		{`"2024-05-01 10:00:00+02"`, TimestampCursor},
		{`"2024-05-01 10:00:00-07:00"`, TimestampCursor},
		{`"2024-05-01 10:00:00 UTC"`, TimestampCursor},
		{`"294247-01-10 04:00:54.775806"`, TimestampCursor},
		{`"2024-05-01 10:00:00 utc"`, TimestampCursor},
		{`"2024-05-01 10:00:00 GMT"`, TimestampCursor},
		{`"2024-05-01 10:00:00z"`, TimestampCursor},
		{`" 2024-05-01\n"`, TimestampCursor},
		{`"Wed, 01 May 2024 10:00:00 GMT"`, TimestampCursor},
		{`"wed, 1 may 2024 10:00:00.5 utc"`, TimestampCursor},
		{`"Wed, 01 May 2024 10:00:00 +0200"`, TimestampCursor},
		{`"Wed, 01 May 2024 10:00:00"`, TimestampCursor},
		{`"Wed, 01 May 2024 10:00:00 EST"`, TextCursor},
		{`"Wed, 32 May 2024 10:00:00 GMT"`, TextCursor},
		{`"31.12.2099"`, TextCursor},
		{`" "`, TextCursor},
		{`"2024-02-30 10:00:00"`, TextCursor},
		{`"2024-05-01 24:30:00"`, TextCursor},
		{`"2024-05-01 10:00:00 EST"`, TextCursor},
		{`"2024-05-01-batch7"`, TextCursor},
		{`"12345"`, TextCursor},
		{`"9007199254740992"`, NumberCursor}, // as BigQuery writes whole numbers that are wide, and those with a fraction
		{`"-99999999999999999999999.25"`, NumberCursor},
		{`"99.56"`, NumberCursor},
		{`"0.5"`, NumberCursor},
		{`"9007199254740991"`, TextCursor}, {`"1.10"`, TextCursor}, {`"00009007199254740992"`, TextCursor}, {`"01.5"`, TextCursor}, {`"1."`, TextCursor}, {`".5"`, TextCursor},
		{`"1.5.2"`, TextCursor}, {`"9.5e3"`, TextCursor}, {`"65e900120000000000"`, TextCursor}, {`"-"`, TextCursor}, {`" 99.56"`, NumberCursor},
		{`"a\u00e9"`, TextCursor},
		{``, ""}, {`null`, ""}, {`true`, ""}, {`{}`, ""}, {`[1]`, ""}, {`""`, ""},
		{`"infinity"`, ""}, {`"-Infinity"`, ""}, {`"NaN"`, ""}, {`" infinity "`, ""}, {`"0044-03-15 (BC)"`, ""},
		{`"` + strings.Repeat("x", 1000) + `"`, ""},
		{strings.Repeat("1", 1001), ""},
	} {
		got, ok := ReadCursor(c.raw)
		if ok != (c.kind != "") || got.Type != c.kind {
			t.Errorf("%.40s: %q %v, want %q", c.raw, got.Type, ok, c.kind)
		}
	}
}

func TestCompareCursors(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{`9`, `10`, -1},
		{`1.0`, `1`, 0},
		{`1e3`, `1000`, 0},
		{`-2`, `1`, -1},
		{`9007199254740993`, `9007199254740992`, 1},
		{`1e999999999`, `5`, 1},
		{`"9007199254740993"`, `9007199254740992`, 1}, // some warehouses write large numbers as text
		{`"9"`, `10`, -1},
		{`"9"`, `"10"`, 1}, // a column of text
		{`"2024-05-01 10:00:00"`, `"2024-05-01T10:00:00Z"`, 0},
		{`"2024-05-01 10:00:00+02:00"`, `"2024-05-01 09:00:00+00"`, -1},
		{`"2024-05-01"`, `"2024-05-01 00:00:00.000000001"`, -1},
		{`"2024-05-01 10:00:00.1"`, `"2024-05-01 10:00:00.10"`, 0},
		{`"1969-12-31 23:59:59"`, `"1970-01-01"`, -1},
		{`"2024-02-29 23:59:59"`, `"2024-03-01"`, -1},
		{`"b"`, `"a"`, 1},
		{`"\u0061"`, `"a"`, 0},
		{`5`, `"abc"`, -1},
		{`"2024-05-01"`, `"-"`, -1}, // in no column both: Comparable
		{`5`, `"2024-05-01"`, -1},
		{`"2024-05-01 12:00:00 GMT"`, `"Wed, 01 May 2024 14:00:00 +0200"`, 0},
	} {
		a, okA := ReadCursor(c.a)
		b, okB := ReadCursor(c.b)
		if !okA || !okB {
			t.Fatalf("%s, %s: unreadable", c.a, c.b)
		}
		if got := a.Compare(b); got != c.want {
			t.Errorf("%s and %s: %d, want %d", c.a, c.b, got, c.want)
		}
		if got := b.Compare(a); got != -c.want {
			t.Errorf("%s and %s: %d, want %d", c.b, c.a, got, -c.want)
		}
	}
}

func TestDaysSince1970(t *testing.T) {
	for day := int64(-800_000); day < 1_500_000; day += 17 {
		y, m, d := time.Unix(day*86400, 0).UTC().Date()
		if got := daysSince1970(int64(y), int64(m), int64(d)); y > 0 && got != day {
			t.Fatalf("%d-%d-%d: %d, want %d", y, m, d, got, day)
		}
	}
}

func TestPlausible(t *testing.T) {
	now := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	for raw, want := range map[string]bool{
		`"2026-01-05T12:59:59Z"`:            true,
		`"2026-01-05T13:00:01Z"`:            false,
		`"2026-01-05T14:59:59+02:00"`:       true,
		`"2026-01-05T15:00:01+02:00"`:       false,
		`"2026-01-06 01:59:59"`:             true, // without a zone it may be the easternmost
		`"2026-01-06 02:00:01"`:             false,
		`"2026-01-06"`:                      true,
		`"2099-12-31 00:00:00"`:             false,
		`"294247-01-10"`:                    false,
		`"2099-12-31 00:00:00 GMT"`:         false,
		`"2099-12-31 00:00:00 utc"`:         false,
		`" 2099-12-31"`:                     false,
		`"Thu, 31 Dec 2099 00:00:00 GMT"`:   false,
		`"Mon, 05 Jan 2026 14:59:59 +0200"`: true,
		`2099`:                              true, // nobody knows what a number counts
		`"zzz"`:                             true,
	} {
		c, ok := ReadCursor(raw)
		if !ok || c.Plausible(now) != want {
			t.Errorf("%s: %v, want %v", raw, c.Plausible(now), want)
		}
	}
}

func TestComparable(t *testing.T) {
	kinds := []string{`5`, `"2024-05-01"`, `"n/a"`, `"7"`} // number, timestamp, text, text that spells a number
	for n, a := range kinds {
		for m, b := range kinds {
			want := n == m || n+m == 3 && n*m == 0 || n+m == 5
			x, _ := ReadCursor(a)
			y, _ := ReadCursor(b)
			if x.Comparable(y) != want {
				t.Errorf("%s and %s: %v, want %v", a, b, !want, want)
			}
		}
	}
}

func TestGreatestAndLeast(t *testing.T) {
	for _, c := range [][4]string{
		{``, `5`, `5`, `5`},
		{`5`, ``, `5`, `5`},
		{`9`, `10`, `10`, `9`},
		{`"2024-05-02"`, `"2024-05-01T23:00:00-05:00"`, `"2024-05-01T23:00:00-05:00"`, `"2024-05-02"`},
		{`"n/a"`, `"2024-05-02"`, `"2024-05-02"`, `"2024-05-02"`},
		{`"2024-05-02"`, `"-"`, `"2024-05-02"`, `"2024-05-02"`},
		{`5`, `"-"`, `5`, `5`},
		{`true`, `5`, `5`, `5`},
		{`"7"`, `"-"`, `"7"`, `"-"`},
	} {
		if got := Greatest(c[0], c[1]); got != c[2] {
			t.Errorf("greatest of %s and %s: %s, want %s", c[0], c[1], got, c[2])
		}
		if got := Least(c[0], c[1]); got != c[3] {
			t.Errorf("least of %s and %s: %s, want %s", c[0], c[1], got, c[3])
		}
	}
}

func FuzzReadCursor(f *testing.F) {
	for _, s := range []string{`5`, `"2024-05-01 10:00:00.123 +0200"`, `"x"`, `"`, `"\`, `null`} {
		f.Add(s, `1e5`)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, okX := ReadCursor(a)
		y, okY := ReadCursor(b)
		if okX && okY && x.Compare(y) != -y.Compare(x) {
			t.Errorf("%q and %q compare otherwise the other way round", a, b)
		}
		if again := x; okX && x.Compare(again) != 0 {
			t.Errorf("%q is not equal to itself", a)
		}
	})
}
