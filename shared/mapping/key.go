package mapping

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// match is how a Program finds the key of a row.
type match struct {
	strategy syncdef.Strategy
	column   int
}

// key normalises the match value as its strategy says.
func (m *Mapper) key() ([]byte, *row.Fault) {
	name, raw := m.p.columns[m.p.match.column], m.column(m.p.match.column)
	if raw == nil {
		return nil, m.missing(m.p.match.column)
	}
	t, ok := m.text(raw)
	if !ok {
		return nil, notText(name, raw)
	}
	if isNull(raw) || len(bytes.TrimSpace(t.b)) == 0 {
		return nil, refuse(name, "missing_match_value", raw, "a value to match on, in every row; filter the rows without one out of the model")
	}
	start := len(m.buf)
	switch m.p.match.strategy {
	case syncdef.MatchExternalID:
		return t.b, nil
	case syncdef.MatchField:
		return bytes.TrimSpace(t.b), nil
	case syncdef.MatchName:
		m.buf = appendName(m.buf, t.b)
		return m.from(start), nil
	case syncdef.MatchEmail:
		b := bytes.TrimSpace(t.b)
		if emailAt(b) < 0 {
			return nil, notAnEmail(name, raw)
		}
		m.buf = appendLower(m.buf, b)
		return m.from(start), nil
	}
	return m.domainKey(name, raw, t.b)
}

func (m *Mapper) domainKey(column string, raw jsontext.Value, value []byte) ([]byte, *row.Fault) {
	start := len(m.buf)
	var ok bool
	if m.buf, ok = appendDomain(m.buf, value); !ok {
		return nil, notAnEmail(column, raw)
	}
	domain := m.from(start)
	if freeMail(domain) {
		return nil, refuse(column, "free_mail_domain", raw, "an address at the company's own domain; anybody can have a mailbox at this one")
	}
	return domain, nil
}

// Name normalises a company's name for matching: trimmed, inner white space
// folded to one space each, lower case.
func Name(s string) string { return string(appendName(nil, []byte(s))) }

func appendName(dst, s []byte) []byte {
	start := len(dst)
	pending := false // a space that is written only if something follows
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRune(s[i:])
		i += size
		if unicode.IsSpace(r) {
			pending = true
			continue
		}
		if pending && len(dst) > start {
			dst = append(dst, ' ')
		}
		pending = false
		dst = utf8.AppendRune(dst, unicode.ToLower(r))
	}
	return dst
}
