package salesforce

import (
	"bytes"
	"errors"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
)

// composite writes a composite request of queries: their length would not fit
// into a URL, with a cap of 16,384 bytes for it and the headers.
func (s *Salesforce) composite(queries []string) []byte {
	b := []byte(`{"allOrNone":false,"compositeRequest":[`)
	for i, q := range queries {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"method":"GET","referenceId":"q`...)
		b = strconv.AppendInt(b, int64(i), 10)
		b = append(b, `","url":`...)
		b = appendText(b, s.client.data+"query?q="+url.QueryEscape(q))
		b = append(b, '}')
	}
	return append(b, "]}"...)
}

// decodeComposite reads the answers of all queries and returns the URLs of their
// next pages. One failed query fails the call: its keys would look missing.
func (c *client) decodeComposite(op string, body []byte, found func(id, value string)) (pages []string, err error) {
	var failure *dest.CallError
	dec := jsontext.NewDecoder(bytes.NewBuffer(body))
	err = eachMember(dec, func(name string) error {
		if name != "compositeResponse" {
			return dec.SkipValue()
		}
		return eachElement(dec, func() error {
			status, part := 0, jsontext.Value(nil)
			err := eachMember(dec, func(name string) error {
				var err error
				switch name {
				case "httpStatusCode":
					var text string
					text, err = readText(dec)
					status, _ = strconv.Atoi(text) // 0 is no success either
				case "body":
					part, err = dec.ReadValue()
					part = part.Clone()
				default:
					err = dec.SkipValue()
				}
				return err
			})
			if err != nil {
				return err
			}
			if status < 200 || status > 299 {
				failure = queryFailure(op, status, part)
				return failure
			}
			next, err := decodePage(op, part, found)
			if next != "" {
				pages = append(pages, next)
			}
			return err
		})
	})
	if failure != nil {
		return nil, failure
	}
	return pages, unreadable(op, err)
}

// queryFailure classes a failed query.
func queryFailure(op string, status int, body []byte) *dest.CallError {
	errs := decodeErrors(jsontext.NewDecoder(bytes.NewBuffer(body)))
	if len(errs) == 0 {
		return &dest.CallError{Op: op, Class: dest.Unavailable, Code: strconv.Itoa(status), Message: "a query failed with status " + strconv.Itoa(status)}
	}
	errs[0].message = withoutQuery(errs[0])
	e := callError(op, status, errs[0], 0)
	if e.Class == dest.Refused {
		e.Class = dest.Configuration // no row is at fault when a query is refused
	}
	return e
}

// withoutQuery is a query error's message without the part of the query that
// Salesforce quotes above it: keys are row values, and this message is logged (I6).
func withoutQuery(e vendorError) string {
	_, rest, quoted := strings.Cut(e.message, "ERROR at Row:")
	if _, text, ok := strings.Cut(rest, "\n"); quoted && ok && e.code != "MALFORMED_QUERY" {
		return text
	}
	if quoted || e.code == "MALFORMED_QUERY" {
		return "Salesforce cannot read the lookup's query: check match.destination, and that it is a text field"
	}
	return e.message
}

// decodePage reads one page of a query.
func decodePage(op string, body []byte, found func(id, value string)) (next string, err error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(body))
	err = eachMember(dec, func(name string) error {
		switch name {
		case "nextRecordsUrl":
			var err error
			next, err = readText(dec)
			if err == nil && !strings.HasPrefix(next, "/services/data/") {
				err = errShape // never follow it to another host
			}
			return err
		case "records":
			return eachElement(dec, func() error {
				var id, value string
				err := eachMember(dec, func(name string) (err error) {
					switch name {
					case "attributes":
						err = dec.SkipValue()
					case "Id":
						id, err = readText(dec)
					default:
						value, err = readText(dec) // the match field, the only other one
					}
					return err
				})
				if err == nil && id != "" {
					found(id, value)
				}
				return err
			})
		}
		return dec.SkipValue()
	})
	return next, unreadable(op, err)
}

// unreadable is an answer that is JSON but not a query's.
func unreadable(op string, err error) error {
	var known *dest.CallError
	if err == nil || errors.As(err, &known) {
		return err
	}
	return &dest.CallError{Op: op, Class: dest.Unavailable, Code: "bad_answer", Message: "Salesforce's answer cannot be read: " + err.Error()}
}
