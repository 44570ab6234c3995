package mapping

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/row"
)

// match is how a Program finds the key of a row.
type match struct {
	matched  bool
	column   int
	identity row.Identity
	company  bool // the key is a domain that must be a company's own
}

// key is the match value by the version's rule of identity, and as the row writes it
// where that is not the same: the key's case and white space are taken away, and a
// new record must not be written with it. A number has one spelling for both.
func (m *Mapper) key() (key, written []byte, fault *row.Fault) {
	match := &m.p.match
	name, raw := m.p.columns[match.column], m.column(match.column)
	if raw == nil {
		return nil, nil, m.missing(match.column)
	}
	t, ok := m.name(raw)
	if !ok {
		return nil, nil, notText(name, raw)
	}
	if isNull(raw) || len(bytes.TrimSpace(t.b)) == 0 {
		return nil, nil, refuse(name, "missing_match_value", raw, "a value to match on, in every row; filter the rows without one out of the model")
	}
	start := len(m.buf)
	if m.buf, ok = match.identity.Key(m.buf, t.b); !ok {
		return nil, nil, notAKey(name, raw, match.identity)
	}
	key = m.from(start)
	if match.company && freeMail(key) {
		return nil, nil, refuse(name, "free_mail_domain", raw, "an address at the company's own domain; anybody can have a mailbox at this one")
	}
	if written = match.identity.Trim(t.b); match.company || bytes.Equal(written, key) {
		written = nil
	}
	return key, written, nil
}

// notAKey says what the rule of identity asks of a match value.
func notAKey(column string, found jsontext.Value, id row.Identity) *row.Fault {
	switch {
	case id.Has(row.StepEmail):
		return notAnEmail(column, found)
	case id.Has(row.StepDomain):
		return refuse(column, "not_an_email", found, "an email address, or the URL or domain of a website")
	case id.Has(row.StepNumber):
		return refuse(column, "not_a_number", found, "a number, because the destination's field is one")
	case id.Has(row.StepID18):
		return refuse(column, "not_an_id", found, "the destination's own id of 15 or 18 letters and digits")
	}
	return refuse(column, "missing_match_value", found, "a value to match on, in every row")
}
