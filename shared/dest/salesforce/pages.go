package salesforce

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

var (
	errNotDone  = errors.New("a query is not done, and names no next page")
	errNoRows   = errors.New("a query's answer has no records, total or end")
	errRowsLeft = errors.New("a query is done with fewer or more records than it says")
	errRowNoID  = errors.New("a found record has no Id")
)

// A pages reads the answer of one query, page by page. Only an answer that is whole
// tells what was not found.
type pages struct {
	found func(id, value string)
	total int // what the first page says; -1 before it
	rows  int // so far
}

func newPages(found func(id, value string)) *pages { return &pages{found: found, total: -1} }

// read reads one page and answers the address of the next one, "" after the last.
func (p *pages) read(body []byte) (next string, err error) {
	total, done, said, listed := -1, false, false, false
	err = whole(body, func(dec *jsontext.Decoder) error {
		return eachMember(dec, func(name string) (err error) {
			switch name {
			case "totalSize":
				total, err = readCount(dec)
			case "done":
				said = true
				done, err = readBool(dec)
			case "nextRecordsUrl":
				next, err = readText(dec)
			case "records":
				listed = true
				err = eachElement(dec, func() error { return p.row(dec) })
			default:
				err = dec.SkipValue()
			}
			return err
		})
	})
	switch {
	case err != nil:
		return "", err
	case total < 0 || !said || !listed:
		return "", errNoRows
	case p.total >= 0 && p.total != total:
		return "", fmt.Errorf("a query's pages say %d and %d records", p.total, total)
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

// row reads one found record: its id and the match field, the only other one.
func (p *pages) row(dec *jsontext.Decoder) error {
	var id, value string
	err := eachMember(dec, func(name string) (err error) {
		switch name {
		case "attributes":
			err = dec.SkipValue()
		case idField:
			id, err = readText(dec)
		default:
			value, err = readText(dec)
		}
		return err
	})
	if err != nil {
		return err
	}
	if _, valid := id18(id); !valid {
		return errRowNoID
	}
	p.rows++
	p.found(id, value)
	return nil
}
