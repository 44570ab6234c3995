package salesforce

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// A query is a parsed SOQL statement. The subset: SELECT fields or COUNT() FROM
// an object, WHERE over =, !=, IN, NOT IN and LIKE with AND, OR and parentheses,
// ORDER BY one field, LIMIT.
type query struct {
	table  *table
	count  bool
	fields []int
	where  *condition
	order  int // field; -1 none
	desc   bool
	limit  int // -1 none
}

// A condition is a node of WHERE.
type condition struct {
	op     string // AND, OR, =, !=, IN, NOT IN, LIKE
	kids   []*condition
	field  int
	values [][]byte // lower-case texts, patterns for LIKE, canonical numbers; nil is null
}

// A parser walks the lexemes of one query.
type parser struct {
	rest  []lexeme
	table *table
}

func malformedQuery(format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, code: "MALFORMED_QUERY", message: fmt.Sprintf(format, args...)}
}

// parse reads a statement.
func (s *Simulator) parse(q string) (*query, *apiError) {
	lexemes, err := lex(q)
	if err != nil {
		return nil, malformedQuery("%v", err)
	}
	p := &parser{rest: lexemes}
	if !p.word("SELECT") {
		return nil, malformedQuery("unexpected token: '%s'", p.rest[0].text)
	}
	out := &query{order: -1, limit: -1}
	names, refusal := p.selected(out)
	if refusal != nil {
		return nil, refusal
	}
	if !p.word("FROM") {
		return nil, malformedQuery("unexpected token: '%s'", p.rest[0].text)
	}
	object := p.next()
	p.table = s.tables[strings.ToLower(object.text)]
	if p.table == nil {
		return nil, &apiError{status: http.StatusBadRequest, code: "INVALID_TYPE", message: fmt.Sprintf("sObject type '%s' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name.", object.text)}
	}
	out.table = p.table
	for _, name := range names {
		i, refusal := p.column(name)
		if refusal != nil {
			return nil, refusal
		}
		out.fields = append(out.fields, i)
	}
	return out, p.clauses(out)
}

func (p *parser) next() lexeme {
	l := p.rest[0]
	if l.kind != 0 {
		p.rest = p.rest[1:]
	}
	return l
}

// word takes the given keyword if it comes next.
func (p *parser) word(keyword string) bool {
	if p.rest[0].kind == 'w' && strings.EqualFold(p.rest[0].text, keyword) {
		p.rest = p.rest[1:]
		return true
	}
	return false
}

func (p *parser) mark(kind byte) bool {
	if p.rest[0].kind == kind {
		p.rest = p.rest[1:]
		return true
	}
	return false
}

func (p *parser) unexpected() *apiError {
	return malformedQuery("unexpected token: '%s'", p.rest[0].text)
}

// selected reads COUNT() or the list of fields.
func (p *parser) selected(q *query) ([]string, *apiError) {
	if len(p.rest) > 2 && strings.EqualFold(p.rest[0].text, "COUNT") && p.rest[1].kind == '(' && p.rest[2].kind == ')' {
		p.rest, q.count = p.rest[3:], true
		return nil, nil
	}
	var names []string
	for {
		l := p.next()
		if l.kind != 'w' {
			return nil, malformedQuery("unexpected token: '%s'", l.text)
		}
		names = append(names, l.text)
		if !p.mark(',') {
			return names, nil
		}
	}
}

func (p *parser) column(name string) (int, *apiError) {
	i, ok := p.table.field(name)
	if !ok {
		return 0, &apiError{status: http.StatusBadRequest, code: "INVALID_FIELD", message: fmt.Sprintf("No such column '%s' on entity '%s'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.", name, p.table.object.Name)}
	}
	return i, nil
}

// clauses reads what may follow FROM.
func (p *parser) clauses(q *query) (refusal *apiError) {
	if p.word("WHERE") {
		if q.where, refusal = p.conditions(); refusal != nil {
			return refusal
		}
	}
	if p.word("ORDER") {
		if !p.word("BY") {
			return p.unexpected()
		}
		if q.order, refusal = p.column(p.next().text); refusal != nil {
			return refusal
		}
		q.desc = p.word("DESC")
		p.word("ASC")
	}
	if p.word("LIMIT") {
		n, err := strconv.Atoi(p.next().text)
		if err != nil || n < 0 {
			return malformedQuery("LIMIT: expected a number")
		}
		q.limit = n
	}
	if p.rest[0].kind != 0 {
		return p.unexpected()
	}
	return nil
}

// conditions reads terms joined by AND or by OR; SOQL wants parentheses where both
// meet.
func (p *parser) conditions() (*condition, *apiError) {
	first, refusal := p.term()
	if refusal != nil {
		return nil, refusal
	}
	var all *condition
	for {
		op := ""
		switch {
		case p.word("AND"):
			op = "AND"
		case p.word("OR"):
			op = "OR"
		case all == nil:
			return first, nil
		default:
			return all, nil
		}
		if all == nil {
			all = &condition{op: op, kids: []*condition{first}}
		} else if all.op != op {
			return nil, malformedQuery("unexpected token: '%s'", strings.ToLower(op))
		}
		kid, refusal := p.term()
		if refusal != nil {
			return nil, refusal
		}
		all.kids = append(all.kids, kid)
	}
}

// term reads a comparison or a condition in parentheses.
func (p *parser) term() (*condition, *apiError) {
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
	c := &condition{field: field}
	switch {
	case p.mark('='):
		c.op = "="
	case p.mark('!'):
		c.op = "!="
	case p.word("LIKE"):
		c.op = "LIKE"
	case p.word("IN"):
		c.op = "IN"
	case p.word("NOT"):
		if !p.word("IN") {
			return nil, p.unexpected()
		}
		c.op = "NOT IN"
	default:
		return nil, p.unexpected()
	}
	if c.op != "IN" && c.op != "NOT IN" {
		return c, p.literal(c)
	}
	if !p.mark('(') {
		return nil, p.unexpected()
	}
	for {
		if refusal := p.literal(c); refusal != nil {
			return nil, refusal
		}
		if p.mark(')') {
			return c, nil
		}
		if !p.mark(',') {
			return nil, p.unexpected()
		}
	}
}

// literal reads a value for the condition's field and checks its kind.
func (p *parser) literal(c *condition) *apiError {
	f := &p.table.object.Fields[c.field]
	l := p.next()
	word := l.kind == 'w'
	switch {
	case word && strings.EqualFold(l.text, "null"):
		c.values = append(c.values, nil)
	case c.op == "LIKE" && (l.kind != 's' || !f.Type.isText()):
		return &apiError{status: http.StatusBadRequest, code: "INVALID_FIELD", message: fmt.Sprintf("invalid operator on %s field", f.Type)}
	case c.op == "LIKE":
		c.values = append(c.values, foldPattern(l.like))
	case l.kind == 's' && f.Type.isText():
		c.values = append(c.values, appendFold(make([]byte, 0, len(l.text)), []byte(l.text)))
	case l.kind == 's' && f.Type == ID:
		c.values = append(c.values, []byte(l.text))
	case word && f.Type.isNumber():
		n, ok := canonicalNumber([]byte(l.text))
		if !ok {
			return malformedQuery("unexpected token: '%s'", l.text)
		}
		c.values = append(c.values, n)
	case word && f.Type == Boolean:
		c.values = append(c.values, []byte(strings.ToLower(l.text)))
	case f.Type == Date || f.Type == DateTime:
		return malformedQuery("the simulator does not compare dates")
	default:
		return &apiError{status: http.StatusBadRequest, code: "INVALID_FIELD", message: fmt.Sprintf("value of filter criterion for field '%s' must be of type %s", f.Name, f.Type)}
	}
	return nil
}

// foldPattern lowers a pattern and leaves its wildcards alone.
func foldPattern(like []byte) []byte {
	out := make([]byte, 0, len(like))
	for len(like) > 0 {
		n := 0
		for n < len(like) && like[n] != anyRun && like[n] != anyChar {
			n++
		}
		out = appendFold(out, like[:n])
		if like = like[n:]; len(like) > 0 {
			out, like = append(out, like[0]), like[1:]
		}
	}
	return out
}

// canonicalNumber is a decimal's shortest form, so that 85 equals 85.0.
func canonicalNumber(b []byte) ([]byte, bool) {
	out, verdict := roundDecimal(nil, append(append([]byte(nil), b...), "e0"...), 400, 400)
	if verdict != decimalFits {
		return nil, false
	}
	s := string(out)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if s == "-0" {
		s = "0"
	}
	return []byte(s), true
}
