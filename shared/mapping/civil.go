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

// parseCivil reads ISO 8601 and its warehouse dialects without allocating:
// 2024-01-15, then T or a space and 10:30, :00, .123456, and a zone.
func parseCivil(s []byte) (c civil, ok bool) {
	if len(s) < 10 || s[4] != '-' || s[7] != '-' {
		return c, false
	}
	century, yy := two(s), two(s[2:])
	c.month, c.day = two(s[5:]), two(s[8:])
	c.year = century*100 + yy
	if century < 0 || yy < 0 || c.year < 1 || c.month < 1 || c.month > 12 || c.day < 1 || c.day > daysIn(c.year, c.month) {
		return c, false
	}
	if s = s[10:]; len(s) == 0 {
		return c, true
	}
	if len(s) < 6 || s[0] != 'T' && s[0] != 't' && s[0] != ' ' || s[3] != ':' {
		return c, false
	}
	c.hour, c.minute = two(s[1:]), two(s[4:])
	s = s[6:]
	if len(s) >= 3 && s[0] == ':' {
		c.second = two(s[1:])
		s, ok = c.fraction(s[3:])
		if !ok {
			return c, false
		}
	}
	if c.hour < 0 || c.hour > 23 || c.minute < 0 || c.minute > 59 || c.second < 0 || c.second > 59 {
		return c, false
	}
	return c, c.zone(s)
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

// utc moves to UTC, from the zone given where none was written.
func (c civil) utc(zone *time.Location) (civil, bool) {
	switch {
	case c.zoned && c.offset == 0, !c.zoned && zone == time.UTC:
		return c, true
	case c.zoned:
		c = civilOf(c.time().Add(-time.Duration(c.offset) * time.Second))
	default:
		t := time.Date(c.year, time.Month(c.month), c.day, c.hour, c.minute, c.second, c.milli*1e6, zone)
		c = civilOf(t.UTC())
	}
	return c, c.year >= 1 && c.year <= 9999
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
