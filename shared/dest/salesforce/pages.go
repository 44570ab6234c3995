package salesforce

import (
	"errors"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
)

var (
	errNotDone  = errors.New("a query is not done, and names no next page")
	errNoRows   = errors.New("a query's answer has no records, total or end")
	errRowsLeft = errors.New("a query is done with fewer or more records than it says")
	errTotals   = errors.New("a query's pages say different numbers of records")
	errRowNoID  = errors.New("a found record has no Id")
)

// A pages reads the answer of one query, page by page. Only an answer that is whole
// tells what was not found.
type pages struct {
	found func(f found)
	total int64 // what the first page says; -1 before it
	rows  int64 // so far
}

// A found is one record of a query's answer.
type found struct {
	id, value string
	created   time.Time // zero where it was not asked for
}

func newPages(each func(f found)) *pages { return &pages{found: each, total: -1} }

// read reads the body of one page, as page does.
func (p *pages) read(body []byte) (next string, err error) {
	if err := whole(body); err != nil {
		return "", err
	}
	return p.page(body)
}

// page reads one page of whole JSON and answers the address of the next one, ""
// after the last.
func (p *pages) page(body jsontext.Value) (next string, err error) {
	total, done, said, listed := int64(-1), false, false, false
	w := rawjson.Members(body).AnyDepth()
	for err == nil && w.Next() {
		switch {
		case w.Named("totalSize"):
			if n, ok := rawjson.Int(w.Value()); ok && w.Value().Kind() == '0' {
				total = n
			}
		case w.Named("done"):
			done, said = rawjson.Bool(w.Value())
		case w.Named("nextRecordsUrl"):
			next, _ = rawjson.Text(w.Value())
		case w.Named("records"):
			listed = true
			err = p.list(&w)
		}
	}
	if err == nil && w.Err() != nil {
		err = errShape
	}
	switch {
	case err != nil:
		return "", err
	case total < 0 || !said || !listed:
		return "", errNoRows
	case p.total >= 0 && p.total != total:
		return "", errTotals
	}
	p.total = total
	switch {
	case !done && !strings.HasPrefix(next, "/services/data/"):
		return "", errNotDone // never follow it to another host
	case done && p.rows != total:
		return "", errRowsLeft
	case done:
		return "", nil
	}
	return next, nil
}

// list reads the found records, the value that w has in hand.
func (p *pages) list(w *rawjson.Walker) (err error) {
	list := w.Into()
	for err == nil && list.Next() {
		r := list.Into()
		err = p.row(&r)
		list.Leave(&r)
	}
	w.Leave(&list)
	return err
}

// row reads one found record: its id, the match field, and when it was created.
func (p *pages) row(w *rawjson.Walker) error {
	var id, value jsontext.Value
	var out found
	for w.Next() {
		switch {
		case w.Named("attributes"):
		case w.Named(idField):
			id = w.Value()
		case w.Named(createdField):
			text, _ := rawjson.Text(w.Value())
			out.created, _ = time.Parse(createdLayout, text)
		default:
			value = w.Value()
		}
	}
	if w.Err() != nil {
		return errShape
	}
	text, _ := rawjson.Text(id)
	var valid bool
	if out.id, valid = id18(text); !valid {
		return errRowNoID
	}
	p.rows++
	out.value = rawjson.Scalar(value)
	p.found(out)
	return nil
}
