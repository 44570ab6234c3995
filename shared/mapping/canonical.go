package mapping

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
)

// form says how a field's values are made comparable: most are already, because
// their converter writes each value in one way.
type form uint8

const (
	formText   form = iota // as sent
	formNumber             // one text per number
	formJSON               // without blanks between the parts
)

// canonical is what stands for a field's value where values are compared.
func (m *Mapper) canonical(f *field, v jsontext.Value) jsontext.Value {
	if v == nil {
		return nil
	}
	if f.form == formNumber {
		if isNull(v) {
			return v
		}
		return m.byValue(v)
	}
	if v[0] != '{' && v[0] != '[' {
		return v
	}
	start := len(m.buf)
	m.buf = appendCompact(m.buf, v)
	return m.from(start)
}

// appendCompact appends JSON without the white space between its parts.
func appendCompact(dst []byte, v jsontext.Value) []byte {
	for i := 0; i < len(v); {
		switch c := v[i]; {
		case c == '"':
			end := rawjson.StringEnd(v, i)
			if end < 0 {
				return append(dst, v[i:]...)
			}
			dst = append(dst, v[i:end]...)
			i = end
			continue
		case c > ' ':
			dst = append(dst, c)
		}
		i++
	}
	return dst
}
