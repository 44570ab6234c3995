package mapping

import (
	"bytes"
	"time"
)

// civil is a date and time as written, with the offset that was written beside it.
type civil struct {
	year, month, day            int
	hour, minute, second, milli int
	zoned                       bool
	offset                      int // seconds east of UTC, when zoned
}

// parse reads ISO 8601 and its warehouse dialects into c, which is zero, without
// allocating: 2024-01-15, then T or a space and 10:30, :00, .123456, and a zone.
func (c *civil) parse(s []byte) bool {
	if len(s) < 10 || s[4] != '-' || s[7] != '-' {
		return false
	}
	century, yy := two(s), two(s[2:])
	c.month, c.day = two(s[5:]), two(s[8:])
	c.year = century*100 + yy
	if century < 0 || yy < 0 || c.year < 1 || c.month < 1 || c.month > 12 || c.day < 1 || c.day > daysIn(c.year, c.month) {
		return false
	}
	if s = s[10:]; len(s) == 0 {
		return true
	}
	if len(s) < 6 || s[0] != 'T' && s[0] != 't' && s[0] != ' ' || s[3] != ':' {
		return false
	}
	c.hour, c.minute = two(s[1:]), two(s[4:])
	s = s[6:]
	if len(s) >= 3 && s[0] == ':' {
		c.second = two(s[1:])
		var ok bool
		if s, ok = c.fraction(s[3:]); !ok {
			return false
		}
	}
	if c.hour < 0 || c.hour > 23 || c.minute < 0 || c.minute > 59 || c.second < 0 || c.second > 59 {
		return false
	}
	return c.zone(s)
}

// fraction reads the part of a second and returns what follows it.
func (c *civil) fraction(s []byte) (rest []byte, ok bool) {
	if len(s) == 0 || s[0] != '.' && s[0] != ',' {
		return s, true
	}
	s = s[1:]
	n, unit := 0, 100
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		c.milli += int(s[n]-'0') * unit
		unit /= 10
		n++
	}
	return s[n:], n > 0
}

// zone reads nothing, Z, UTC, GMT, +08, +0800 or +08:00, after a space or not.
func (c *civil) zone(s []byte) bool {
	if len(s) > 0 && s[0] == ' ' {
		s = s[1:]
	}
	if len(s) == 0 {
		return true
	}
	c.zoned = true
	if s[0] != '+' && s[0] != '-' {
		return len(s) == 1 && (s[0] == 'Z' || s[0] == 'z') ||
			bytes.EqualFold(s, []byte("UTC")) || bytes.EqualFold(s, []byte("GMT"))
	}
	var h, m int
	switch {
	case len(s) == 3:
		h = two(s[1:])
	case len(s) == 5:
		h, m = two(s[1:]), two(s[3:])
	case len(s) == 6 && s[3] == ':':
		h, m = two(s[1:]), two(s[4:])
	default:
		return false
	}
	c.offset = h*3600 + m*60
	if s[0] == '-' {
		c.offset = -c.offset
	}
	return h >= 0 && h <= 15 && m >= 0 && m <= 59
}

// toUTC moves c to UTC, from the zone given where none was written; false when it leaves
// the years that can be written.
func (c *civil) toUTC(zone *time.Location) bool {
	switch {
	case c.zoned && c.offset == 0, !c.zoned && zone == time.UTC:
		return true
	case c.zoned:
		*c = civilOf(c.time().Add(-time.Duration(c.offset) * time.Second))
	default:
		*c = civilOf(c.in(zone).UTC())
	}
	return c.year >= 1 && c.year <= 9999
}

// nearChange is more than any zone is from UTC, so that a clock's change which may
// concern c is that near to it.
const nearChange = 24 * time.Hour

// in is the instant at which a clock in the zone shows c. Of the two that a clock
// turned back shows, it is the first; one that a clock turned forward leaves out is
// moved forward by as much: 02:30 becomes 03:30.
func (c civil) in(zone *time.Location) time.Time {
	t := time.Date(c.year, time.Month(c.month), c.day, c.hour, c.minute, c.second, c.milli*1e6, zone)
	start, end := t.ZoneBounds()
	if (start.IsZero() || t.Sub(start) > nearChange) && (end.IsZero() || end.Sub(t) > nearChange) {
		return t
	}
	utc := c.time()
	_, before := utc.Add(-nearChange).In(zone).Zone()
	_, after := utc.Add(nearChange).In(zone).Zone()
	first := utc.Add(-time.Duration(before) * time.Second)
	second := utc.Add(-time.Duration(after) * time.Second)
	if _, offset := first.In(zone).Zone(); offset == before {
		return first
	}
	if _, offset := second.In(zone).Zone(); offset == after {
		return second
	}
	return first // left out: with the offset before the change it lies behind it by as much
}

// moment is a number that grows with c as written: milliseconds, months being 32
// days and years 16 months long.
func (c *civil) moment() int64 {
	day := int64(c.year)<<9 | int64(c.month)<<5 | int64(c.day)
	return day*86_400_000 + int64(((c.hour*60+c.minute)*60+c.second)*1000+c.milli)
}

// time is the instant at which a clock in UTC shows c.
func (c civil) time() time.Time {
	return time.Date(c.year, time.Month(c.month), c.day, c.hour, c.minute, c.second, c.milli*1e6, time.UTC)
}

// civilOf is what a clock in t's own zone shows, without naming the zone.
func civilOf(t time.Time) (c civil) {
	y, mo, d := t.Date()
	c.year, c.month, c.day = y, int(mo), d
	c.hour, c.minute, c.second = t.Clock()
	c.milli = t.Nanosecond() / 1e6
	c.zoned = true
	return c
}

// putDate writes YYYY-MM-DD over the digits of a pattern.
func (c *civil) putDate(b []byte) {
	put2(b, c.year/100)
	put2(b[2:], c.year%100)
	put2(b[5:], c.month)
	put2(b[8:], c.day)
}

func put2(b []byte, n int) { b[0], b[1] = byte('0'+n/10), byte('0'+n%10) }

// two reads two digits; negative when they are none.
func two(s []byte) int {
	a, b := s[0]-'0', s[1]-'0'
	if a > 9 || b > 9 {
		return -1
	}
	return int(a)*10 + int(b)
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}
