package mapping

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// vendorRules is what the destination type says of values, made ready.
type vendorRules struct {
	unit        syncdef.LengthUnit
	first, last int64  // the moments that bound dates
	dates       string // for messages: the bounds, "" without any
}

func compileRules(r syncdef.Rules) (vendorRules, error) {
	out := vendorRules{unit: r.LengthUnit}
	var errs []error
	switch r.LengthUnit {
	case "":
		out.unit = syncdef.LengthUTF16
	case syncdef.LengthUTF16, syncdef.LengthRune, syncdef.LengthByte:
	default:
		errs = append(errs, fmt.Errorf("length_unit: %q is not one of utf16, rune, byte", r.LengthUnit))
	}
	day := func(name, s string, none int64) int64 {
		if s == "" {
			return none
		}
		var c civil
		if !c.parse([]byte(s)) {
			errs = append(errs, fmt.Errorf("%s: %q is not a date such as 1700-01-01", name, s))
		}
		return c.moment()
	}
	out.first, out.last = day("date_min", r.DateMin, math.MinInt64), day("date_max", r.DateMax, math.MaxInt64)
	switch {
	case r.DateMin != "" && r.DateMax != "":
		out.dates = "from " + r.DateMin + " to " + r.DateMax
	case r.DateMin != "":
		out.dates = "of " + r.DateMin + " or later"
	case r.DateMax != "":
		out.dates = "of " + r.DateMax + " or earlier"
	}
	return out, errors.Join(errs...)
}

// length is how long a text is for the destination.
func length(unit syncdef.LengthUnit, s []byte) int {
	switch unit {
	case syncdef.LengthByte:
		return len(s)
	case syncdef.LengthRune:
		return utf8.RuneCount(s)
	}
	n := 0
	for _, c := range s {
		switch {
		case c >= 0xf0: // starts four bytes, a pair of surrogates
			n += 2
		case c&0xc0 != 0x80: // starts a character
			n++
		}
	}
	return n
}

// fitting is the longest beginning of s that is at most so long and ends between
// two characters as people see them: not within an emoji that is joined of
// several, a flag, or a letter with marks.
func fitting(unit syncdef.LengthUnit, s []byte, most int) []byte {
	end, n := 0, 0
	for characters := graphemes.FromBytes(s); characters.Next(); {
		c := characters.Value()
		if n += length(unit, c); n > most {
			break
		}
		end += len(c)
	}
	return s[:end]
}

// unitNames say to people what is counted.
var unitNames = map[syncdef.LengthUnit]string{
	syncdef.LengthUTF16: "characters (an emoji is two or more)",
	syncdef.LengthRune:  "characters",
	syncdef.LengthByte:  "bytes of UTF-8",
}
