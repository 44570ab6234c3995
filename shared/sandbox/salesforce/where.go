package salesforce

import (
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// maxLiteral is how long a string within WHERE may be ("SOQL and SOSL Limits").
const maxLiteral = 4_000

// conditions reads terms joined by AND or by OR; SOQL wants parentheses where both
// meet.
func (p *parser) conditions() (*records.Condition, *apiError) {
	all, refusal := p.term()
	if refusal != nil {
		return nil, refusal
	}
	for joined := false; ; joined = true {
		op := records.And
		switch {
		case p.word("AND"):
		case p.word("OR"):
			op = records.Or
		default:
			return all, nil
		}
		if !joined {
			all = &records.Condition{Op: op, Kids: []*records.Condition{all}}
		} else if all.Op != op {
			return nil, malformedQuery("unexpected token: '%s'", map[records.Op]string{records.And: "and", records.Or: "or"}[op])
		}
		kid, refusal := p.term()
		if refusal != nil {
			return nil, refusal
		}
		all.Kids = append(all.Kids, kid)
	}
}

// term reads a comparison or a condition in parentheses.
func (p *parser) term() (*records.Condition, *apiError) {
	if p.mark('(') {
		c, refusal := p.conditions()
		if refusal == nil && !p.mark(')') {
			refusal = p.unexpected()
		}
		return c, refusal
	}
	if p.rest[0].kind != 'w' {
		return nil, p.unexpected()
	}
	field, refusal := p.column(p.next().text)
	if refusal != nil {
		return nil, refusal
	}
	f := &Field{Type: unset}
	if field != absent {
		f = &p.table.object.Fields[field]
	}
	if f.Type == TextArea && f.Length > 255 {
		return nil, invalidField("field '%s' can not be filtered in a query call", f.Name)
	}
	c := &records.Condition{Op: records.Equal, Column: column(field)}
	if field < firstColumn { // an Id names its row; of the others the simulator compares none
		c.Op, c.Column = records.In, 0
	}
	negated, list := false, false
	switch {
	case p.mark('='):
	case p.mark('!'):
		negated = true
	case p.rest[0].kind == '<' || p.rest[0].kind == '>':
		if field < firstColumn && field != absent {
			return nil, malformedQuery("the simulator does not compare %s", f.Name)
		}
		if c.Op, refusal = p.order(f); refusal != nil {
			return nil, refusal
		}
	case p.word("LIKE"):
		c.Op = records.Like
	case p.word("IN"):
		list = true
	case p.word("NOT") && p.word("IN"):
		negated, list = true, true
	default:
		return nil, p.unexpected()
	}
	ordered := c.Op
	if refusal := p.literals(c, f, list); refusal != nil {
		return nil, refusal
	}
	if ordered >= records.Less && ordered <= records.GreaterEqual && c.Op == ordered && c.Values[0] == nil {
		return nil, invalidField("invalid operator on %s field: null has no order", f.Type)
	}
	if negated {
		c = &records.Condition{Op: records.Not, Kids: []*records.Condition{c}}
	}
	return c, nil
}

// order reads <, <=, > or >=, which booleans, ids and lists of values have not.
func (p *parser) order(f *Field) (records.Op, *apiError) {
	op, orEqual := records.Less, records.LessEqual
	if p.next().kind == '>' {
		op, orEqual = records.Greater, records.GreaterEqual
	}
	if p.mark('=') {
		op = orEqual
	}
	if f.Type == Boolean || f.Type == ID || f.Type == Reference || f.Type == MultiPicklist {
		return op, invalidField("invalid operator on %s field", f.Type)
	}
	return op, nil
}

// literals reads one value, or a list of them in parentheses.
func (p *parser) literals(c *records.Condition, f *Field, list bool) *apiError {
	if !list {
		return p.literal(c, f)
	}
	if !p.mark('(') {
		return p.unexpected()
	}
	for {
		if refusal := p.literal(c, f); refusal != nil {
			return refusal
		}
		if p.mark(')') {
			return nil
		}
		if !p.mark(',') {
			return p.unexpected()
		}
	}
}

// literal reads a value for a field and checks its kind.
func (p *parser) literal(c *records.Condition, f *Field) *apiError {
	l := p.next()
	p.values++
	word := l.kind == 'w'
	switch {
	case f.Type == unset && word && strings.EqualFold(l.text, "null"):
		*c = records.Condition{Op: records.Not, Kids: []*records.Condition{{Op: records.In}}}
	case f.Type == unset && (word || l.kind == 's'):
		if c.Op != records.Not { // not after a null of the same list
			*c = records.Condition{Op: records.In}
		}
	case l.kind == 's' && tooLongText(l.text, maxLiteral):
		return malformedQuery("strings in a WHERE clause can not be longer than %d characters", maxLiteral)
	case c.Op == records.Like && (l.kind != 's' || !f.Type.isText()):
		return invalidField("invalid operator on %s field", f.Type)
	case c.Op == records.Like:
		c.Values = append(c.Values, l.like)
	case word && strings.EqualFold(l.text, "null"):
		c.Values = append(c.Values, nil)
	case l.kind == 's' && f.Type == ID:
		row, refusal := p.table.queried(l.text)
		if refusal != nil {
			return refusal
		}
		c.Rows = append(c.Rows, row)
	case l.kind == 's' && f.Type == Reference:
		if _, refusal := p.table.queried(l.text); refusal != nil {
			return refusal
		}
		c.Values = append(c.Values, appendID18(nil, l.text))
	case l.kind == 's' && f.Type.isText():
		if l.text == "" {
			c.Values = append(c.Values, nil)
			break
		}
		c.Values = append(c.Values, []byte(l.text))
	case word && f.Type.isNumber():
		if _, ok := records.AppendCanonical(nil, []byte(l.text)); !ok {
			return malformedQuery("unexpected token: '%s'", l.text)
		}
		if f.Type == Int && !isInt([]byte(l.text)) { // what Salesforce does is not documented
			return invalidField("value of filter criterion for field '%s' must be of type %s", f.Name, f.Type)
		}
		c.Values = append(c.Values, []byte(l.text))
	case word && f.Type == Boolean && strings.EqualFold(l.text, "false"):
		c.Values = append(c.Values, []byte("false"), nil)
	case word && f.Type == Boolean:
		c.Values = append(c.Values, []byte(strings.ToLower(l.text)))
	case word && (f.Type == Date || f.Type == DateTime):
		value, ok := appendDateLiteral(nil, f.Type, l.text)
		if !ok {
			return invalidField("value of filter criterion for field '%s' must be of type %s and should not be enclosed in quotes", f.Name, strings.ToLower(string(f.Type)))
		}
		if c.Op == records.In {
			return malformedQuery("the simulator does not compare %s", f.Name)
		}
		c.Values = append(c.Values, value)
	default:
		return invalidField("value of filter criterion for field '%s' must be of type %s", f.Name, f.Type)
	}
	return nil
}

// appendDateLiteral reads a date, or a date and time with its zone, as SOQL writes them
// without quotes ("SOQL and SOSL Reference", Date Formats and Date Literals), in the form
// in which they are stored.
func appendDateLiteral(dst []byte, kind Type, text string) ([]byte, bool) {
	if kind == DateTime {
		return appendDateTime(dst, []byte(text))
	}
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		return dst, false
	}
	return append(dst, text...), true
}

// queried finds the row that an Id in a query names, -1 for one that names none
// here: Salesforce refuses only what has not the form of an Id.
func (t *table) queried(id string) (int, *apiError) {
	if !validID(id) {
		return 0, &apiError{status: http.StatusBadRequest, code: "INVALID_QUERY_FILTER_OPERATOR", message: "invalid ID field: " + id}
	}
	if row, here := t.row([]byte(id)); here {
		return row, nil
	}
	return -1, nil
}

func invalidField(format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, code: "INVALID_FIELD", message: fmt.Sprintf(format, args...)}
}

// tooLongText counts as Salesforce does, in UTF-16 units.
func tooLongText[T string | []byte](s T, limit int) bool {
	if len(s) <= limit {
		return false
	}
	n := 0
	for _, r := range string(s) {
		n += utf16.RuneLen(r)
	}
	return n > limit
}
