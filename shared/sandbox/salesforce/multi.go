package salesforce

import (
	"fmt"
	"slices"
	"strings"
)

// maxMulti is the length of a multi-select picklist ("SOAP API Developer Guide",
// Field Types; describe shows 4099), and maxChosen how many values one record has at
// most (Salesforce Help, "Custom Field Types", Picklist (Multi-Select)).
const (
	maxMulti  = 4099
	maxChosen = 100
)

// checkMulti enforces what a multi-select picklist keeps: the values between the
// semicolons, each once, without white space around them, those of the picklist first
// and in its order. Others are refused where it is restricted. With which code too many
// are refused is not published; this one says what is wrong.
func (f *Field) checkMulti(dst []byte, start int) ([]byte, *fieldError) {
	sent := string(dst[start:])
	if len(sent) > f.Length && tooLongText(dst[start:], f.Length) {
		return dst, &fieldError{"STRING_TOO_LONG", fmt.Sprintf("%s: data value too large: %s (max length=%d)", f.label(), clip(dst[start:]), f.Length), f.Name}
	}
	var others []string
	chosen := make([]bool, len(f.Values))
	for one := range strings.SplitSeq(sent, ";") {
		if one = strings.Trim(one, blanks); one == "" {
			continue
		}
		at := slices.IndexFunc(f.Values, func(v string) bool { return strings.EqualFold(v, one) })
		switch {
		case at >= 0:
			chosen[at] = true
		case f.Restricted:
			return dst, &fieldError{"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", fmt.Sprintf("%s: bad value for restricted picklist field: %s", f.label(), clip([]byte(one))), f.Name}
		case !slices.ContainsFunc(others, func(o string) bool { return strings.EqualFold(o, one) }):
			others = append(others, one)
		}
	}
	var kept []string
	for i, v := range f.Values {
		if chosen[i] {
			kept = append(kept, v)
		}
	}
	if kept = append(kept, others...); len(kept) > maxChosen {
		return dst, &fieldError{"FIELD_INTEGRITY_EXCEPTION", fmt.Sprintf("%s: more than %d values", f.label(), maxChosen), f.Name}
	}
	return append(dst[:start], strings.Join(kept, ";")...), nil
}
