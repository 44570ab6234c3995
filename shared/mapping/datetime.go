package mapping

import (
	"bytes"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/row/decimal"
)

// datetime gives RFC 3339 in UTC with milliseconds, Salesforce's form; finer
// fractions are cut off.
func (m *Mapper) datetime(f *field, raw jsontext.Value) (jsontext.Value, *row.Fault) {
	var c civil
	if !m.civil(&c, f, raw) || !c.toUTC(f.zone) {
		return nil, refuse(f.source, "not_a_datetime", raw, f.allowed)
	}
	if f.vendor.dates != "" && !f.vendor.within(&c) {
		return nil, fault(f.source, "out_of_range", "another date", "a date and time "+f.vendor.dates+" in UTC, which is all that the destination takes")
	}
	start := len(m.buf)
	m.buf = append(m.buf, `"0000-00-00T00:00:00.000Z"`...)
	out := m.from(start)
	c.putDate(out[1:])
	put2(out[12:], c.hour)
	put2(out[15:], c.minute)
	put2(out[18:], c.second)
	out[21] = byte('0' + c.milli/100)
	put2(out[22:], c.milli%100)
	return out, nil
}

// date gives the day: of a timestamp the day that is written in it, whatever its
// offset; of an epoch number the day in the field's zone.
func (m *Mapper) date(f *field, raw jsontext.Value) (jsontext.Value, *row.Fault) {
	var c civil
	ok := m.civil(&c, f, raw)
	if ok && f.epoch != 0 {
		c = civilOf(time.UnixMilli(c.time().UnixMilli()).In(f.zone))
	}
	if !ok || c.year < 1 || c.year > 9999 {
		return nil, refuse(f.source, "not_a_date", raw, f.allowed)
	}
	if c.hour, c.minute, c.second, c.milli = 0, 0, 0, 0; f.vendor.dates != "" && !f.vendor.within(&c) {
		return nil, fault(f.source, "out_of_range", "another date", "a date "+f.vendor.dates+", which is all that the destination takes")
	}
	start := len(m.buf)
	m.buf = append(m.buf, `"0000-00-00"`...)
	out := m.from(start)
	c.putDate(out[1:])
	return out, nil
}

// civil reads the value in the format of the field into c, which is zero.
func (m *Mapper) civil(c *civil, f *field, raw jsontext.Value) (ok bool) {
	if f.epoch != 0 {
		_, d, _, ok := m.decimal(f, raw)
		if ok {
			*c, ok = fromEpoch(d, f.epoch)
		}
		return ok
	}
	if raw[0] != '"' {
		return false
	}
	t, ok := m.transformed(f, raw)
	if !ok {
		return false
	}
	b := bytes.TrimSpace(t.b)
	if c.parse(b) {
		return true
	}
	*c, ok = parseNamed(b)
	return ok
}

// within reports whether a date and time is between the bounds, both of which are
// midnights that belong to the range.
func (v *vendorRules) within(c *civil) bool {
	m := c.moment()
	return v.first <= m && m <= v.last
}

// fromEpoch reads a count since 1970 whose unit is 10^shift milliseconds, rounding
// down to a millisecond; the result is in UTC.
func fromEpoch(d decimal.Decimal, shift epochShift) (civil, bool) {
	d.Exp += int(shift) - int(epochMilliseconds)
	if d.Exp > 15 { // year 9999 ends below 3 × 10^14 ms
		return civil{}, false
	}
	var ms int64
	for i := range max(d.Exp, 0) {
		ms *= 10
		if i < len(d.Digits) {
			ms += int64(d.Digits[i] - '0')
		}
	}
	if d.Negative {
		ms = -ms
		if !d.Whole() {
			ms--
		}
	}
	c := civilOf(time.UnixMilli(ms).UTC())
	return c, c.year >= 1 && c.year <= 9999
}

// parseNamed reads the form that spells out the day's and month's names, as in
// RFC 1123 and Snowflake's DY, DD MON YYYY HH24:MI:SS TZHTZM. Of the zone names
// only UTC and GMT are taken, as the others mean different things to different people.
func parseNamed(b []byte) (civil, bool) {
	if len(b) < len("Mon, 2 Jan 2006 15:04") || b[3] != ',' {
		return civil{}, false
	}
	s := string(b)
	for _, utc := range []string{" GMT", " UTC", " Z"} {
		if rest, ok := strings.CutSuffix(s, utc); ok {
			s = rest + " +0000"
		}
	}
	for _, zoned := range []bool{true, false} {
		form := "Mon, 2 Jan 2006 15:04:05"
		if zoned {
			form += " -0700"
		}
		if t, err := time.Parse(form, s); err == nil {
			c := civilOf(t)
			_, c.offset = t.Zone()
			c.zoned = zoned
			return c, true
		}
	}
	return civil{}, false
}
