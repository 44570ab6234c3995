package salesforce

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// A query is a parsed SOQL statement. The subset: SELECT fields, COUNT(), or COUNT, MIN
// and MAX of fields FROM an object, WHERE over =, !=, <, <=, >, >=, IN, NOT IN and LIKE with AND, OR and parentheses,
// ORDER BY one field, LIMIT, OFFSET.
type query struct {
	table  *table
	count  bool
	totals []total
	fields []int
	names  []string // of the fields, as the query wrote them
	where  *records.Condition
	order  int // field; -1 none
	desc   bool
	limit  int // -1 none
	offset int
}

// maxOffset is the greatest OFFSET ("SOQL and SOSL Reference", OFFSET).
const maxOffset = 2000

// A parser walks the lexemes of one query.
type parser struct {
	sim    *Simulator
	rest   []lexeme
	table  *table
	values int // literals read so far
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
	p := &parser{sim: s, rest: lexemes}
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
	if p.table == nil && s.custom(object.text) {
		p.table = s.empty(object.text)
	}
	if p.table == nil {
		return nil, &apiError{status: http.StatusBadRequest, code: "INVALID_TYPE", message: fmt.Sprintf("sObject type '%s' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name.", object.text)}
	}
	out.table = p.table
	if refusal := p.resolve(out.totals, names); refusal != nil {
		return nil, refusal
	}
	for _, name := range names {
		i, refusal := p.column(name)
		if refusal != nil {
			return nil, refusal
		}
		if slices.ContainsFunc(out.names, func(other string) bool { return strings.EqualFold(other, name) }) {
			return nil, invalidField("duplicate field selected: %s", name)
		}
		out.fields, out.names = append(out.fields, i), append(out.names, name)
	}
	if refusal := p.clauses(out); refusal != nil {
		return nil, refusal
	}
	if limit := s.opts.MaxLiterals; limit > 0 && p.values > limit {
		return nil, &apiError{status: http.StatusBadRequest, code: "QUERY_TOO_COMPLICATED", message: "Query is either selecting too many fields or the filter conditions are too complicated."}
	}
	return out, nil
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
		if p.rest[0].kind == '(' {
			if refusal := p.total(q, l.text); refusal != nil {
				return nil, refusal
			}
			if !p.mark(',') {
				return names, nil
			}
			continue
		}
		names = append(names, l.text)
		if !p.mark(',') {
			return names, nil
		}
	}
}

func (p *parser) column(name string) (int, *apiError) {
	i, ok := p.table.field(name)
	if !ok && p.sim.custom(name) {
		return absent, nil
	}
	if !ok {
		return 0, invalidField("No such column '%s' on entity '%s'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.", name, p.table.object.Name)
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
	if p.word("OFFSET") {
		n, err := strconv.Atoi(p.next().text)
		if err != nil || n < 0 {
			return malformedQuery("OFFSET: expected a number")
		}
		if n > maxOffset {
			return &apiError{status: http.StatusBadRequest, code: "NUMBER_OUTSIDE_VALID_RANGE", message: "Maximum SOQL offset allowed is 2000"}
		}
		q.offset = n
	}
	if p.rest[0].kind != 0 {
		return p.unexpected()
	}
	return nil
}
