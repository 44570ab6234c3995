package run

import (
	"bytes"
	"strings"
	"time"
)

// parseInstant reads a timestamp in the spellings of the warehouses' JSON, as the
// mapping does: YYYY-MM-DD, then T or a blank and HH:MM[:SS[.fraction]], then, after
// blanks, Z, UTC, GMT, ±HH, ±HHMM or ±HH:MM; or the form of RFC 1123. Fractions beyond
// nanoseconds are cut. Of the first form it does not allocate: intake calls it for
// every row.
func parseInstant(s []byte) (sec int64, nsec int32, zoned, ok bool) {
	if len(s) > 3 && s[3] == ',' {
		return parseNamed(string(s))
	}
	p := scanner{s: s}
	days, ok := p.date()
	if !ok {
		return 0, 0, false, false
	}
	sec = days * 86400
	if p.done() {
		return sec, 0, false, true
	}
	if !p.one('T', 't', ' ') {
		return 0, 0, false, false
	}
	clock, nsec, ok := p.clock()
	if !ok {
		return 0, 0, false, false
	}
	offset, zoned, ok := p.zone()
	return sec + clock - offset, nsec, zoned, ok && p.done()
}

// parseNamed reads Thu, 31 Dec 2099 00:00:00, then GMT, UTC, Z, ±HHMM or nothing.
func parseNamed(s string) (sec int64, nsec int32, zoned, ok bool) {
	s = strings.ToUpper(s)
	for _, utc := range []string{" GMT", " UTC", " Z"} {
		if rest, ok := strings.CutSuffix(s, utc); ok {
			s = rest + " +0000"
		}
	}
	for _, form := range []string{"Mon, 2 Jan 2006 15:04:05 -0700", "Mon, 2 Jan 2006 15:04:05"} {
		if t, err := time.Parse(form, s); err == nil {
			return t.Unix(), int32(t.Nanosecond()), strings.HasSuffix(form, "-0700"), true
		}
	}
	return 0, 0, false, false
}

type scanner struct {
	s []byte
	i int
}

func (p *scanner) done() bool { return p.i == len(p.s) }

func (p *scanner) one(allowed ...byte) bool {
	if p.done() {
		return false
	}
	for _, c := range allowed {
		if p.s[p.i] == c {
			p.i++
			return true
		}
	}
	return false
}

// digits reads a number of least to most figures.
func (p *scanner) digits(least, most int) (n int64, ok bool) {
	start := p.i
	for p.i < len(p.s) && p.i-start < most && p.s[p.i] >= '0' && p.s[p.i] <= '9' {
		n = n*10 + int64(p.s[p.i]-'0')
		p.i++
	}
	return n, p.i-start >= least
}

// date reads year, month and day as days since 1970.
func (p *scanner) date() (days int64, ok bool) {
	p.one('+')
	year, okYear := p.digits(4, 7)
	slash := !p.done() && p.s[p.i] == '/'
	okFirst := p.one('-', '/')
	month, okMonth := p.digits(2, 2)
	okSecond := slash && p.one('/') || !slash && p.one('-')
	day, okDay := p.digits(2, 2)
	if !okYear || !okFirst || !okMonth || !okSecond || !okDay {
		return 0, false
	}
	if month < 1 || month > 12 || day < 1 || day > monthDays(year, month) {
		return 0, false
	}
	return daysSince1970(year, month, day), true
}

// clock reads the time of day in seconds.
func (p *scanner) clock() (sec int64, nsec int32, ok bool) {
	hour, okHour := p.digits(2, 2)
	if !okHour || hour > 23 || !p.one(':') {
		return 0, 0, false
	}
	minute, okMinute := p.digits(2, 2)
	if !okMinute || minute > 59 {
		return 0, 0, false
	}
	sec = hour*3600 + minute*60
	if !p.one(':') {
		return sec, 0, true
	}
	second, okSecond := p.digits(2, 2)
	if !okSecond || second > 60 { // 60 is a leap second
		return 0, 0, false
	}
	if p.one('.', ',') {
		nsec, ok = p.fraction()
		return sec + second, nsec, ok
	}
	return sec + second, 0, true
}

func (p *scanner) fraction() (nsec int32, ok bool) {
	scale := int32(100_000_000)
	for p.i < len(p.s) && p.s[p.i] >= '0' && p.s[p.i] <= '9' {
		nsec += int32(p.s[p.i]-'0') * scale
		scale /= 10
		p.i++
		ok = true
	}
	return nsec, ok
}

// zone reads what a timestamp is ahead of UTC in seconds.
func (p *scanner) zone() (offset int64, zoned, ok bool) {
	for p.one(' ') {
	}
	switch {
	case p.done():
		return 0, false, true
	case p.one('Z', 'z'):
		return 0, true, true
	case bytes.EqualFold(p.s[p.i:], []byte("UTC")), bytes.EqualFold(p.s[p.i:], []byte("GMT")):
		p.i = len(p.s)
		return 0, true, true
	}
	minus := p.s[p.i] == '-'
	if !p.one('+', '-') {
		return 0, false, false
	}
	hours, ok := p.digits(2, 2)
	if !ok || hours > 18 {
		return 0, false, false
	}
	minutes := int64(0)
	if colon := p.one(':'); colon || !p.done() {
		if minutes, ok = p.digits(2, 2); !ok || minutes > 59 {
			return 0, false, false
		}
	}
	offset = hours*3600 + minutes*60
	if minus {
		offset = -offset
	}
	return offset, true, true
}

func monthDays(year, month int64) int64 {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// daysSince1970 counts in years that begin in March, so that the leap day is the last.
func daysSince1970(year, month, day int64) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - 719468
}
