package salesforce

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/freshness"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// maxCounted is how many fields are counted with one query each, because no aggregate
// function takes them; what is beyond is not known.
const maxCounted = 10

// Freshness implements dest.Prober with the object's describe and one composite request
// of four queries: one of aggregate functions, and a COUNT() for each age ("SOQL and SOSL
// Reference", Aggregate Functions). Fields that no aggregate function takes but a filter
// does cost a query each.
func (a *account) Freshness(ctx context.Context, d *syncdef.Definition, now time.Time, spend dest.Spend) (freshness.Figures, error) {
	op := "count the records of " + d.Object
	if err := spend(ctx, oneCall[0]); err != nil {
		return freshness.Figures{}, err
	}
	var object described
	if err := a.read(ctx, op, "sobjects/"+url.PathEscape(d.Object)+"/describe", &object); err != nil {
		return freshness.Figures{}, err
	}
	if object.Fields == nil {
		return freshness.Figures{}, unreadable(op, errShape)
	}
	q, failed := ageing(op, d, &object, now)
	if failed != nil {
		return freshness.Figures{}, failed
	}
	for some := range slices.Chunk(q.queries, queriesPerCall) {
		if err := spend(ctx, oneCall[0]); err != nil {
			return freshness.Figures{}, err
		}
		if err := a.count(ctx, op, some); err != nil {
			return freshness.Figures{}, err
		}
	}
	return q.out, nil
}

// A counting is a query and what is done with its answer.
type counting struct {
	soql string
	take func(queryAnswer) error
}

// queryAnswer is a query's answer of counts, or of one aggregate result.
type queryAnswer struct {
	Size    *int64                       `json:"totalSize"`
	Records []map[string]json.RawMessage `json:"records"`
}

type ages struct {
	out     freshness.Figures
	queries []counting
}

// ageing writes the queries of a definition. Names come from describe, so that nothing
// else gets into a query.
func ageing(op string, d *syncdef.Definition, o *described, now time.Time) (*ages, error) {
	field := o.named(d.FreshnessField())
	if field == nil || field.Type != "datetime" && field.Type != "date" {
		why := "Salesforce shows the integration user no field " + d.FreshnessField() + " of " + o.Name
		if field != nil {
			why = field.Name + " of " + o.Name + " is of type " + field.Type + ", and no date or time"
		}
		return nil, &dest.CallError{Op: op, Class: dest.Configuration, Scope: dest.ScopeVersion, Code: "freshness_field", Message: why + ": correct freshness.destination_field"}
	}
	q := &ages{out: freshness.Figures{Field: field.Name, Missing: map[string]int64{}}}
	from, with := " FROM "+o.Name, " WHERE "+field.Name+" != null"
	q.queries = append(q.queries, q.totals(d, o, field, from+with))
	since := func(age time.Duration, into **int64) {
		at := now.UTC().Add(-age)
		literal := at.Truncate(time.Second).Format("2006-01-02T15:04:05Z")
		if field.Type == "date" {
			literal = at.Format(time.DateOnly)
		}
		q.queries = append(q.queries, counted("SELECT COUNT()"+from+" WHERE "+field.Name+" >= "+literal, func(n int64) { *into = freshness.N(n) }))
	}
	if field.Type == "date" {
		q.out.Why = field.Name + " is a date without a time: hours are not known, and a day is that of UTC"
	} else {
		since(freshness.Short, &q.out.Updated1h)
		since(freshness.Medium, &q.out.Updated4h)
	}
	since(freshness.Long, &q.out.Updated1d)
	q.apart(d, o, from+with)
	return q, nil
}

// totals is the query of aggregate functions over the records with a value.
func (q *ages) totals(d *syncdef.Definition, o *described, field *describedField, rest string) counting {
	columns := []string{"COUNT(" + field.Name + ") total", "MIN(" + field.Name + ") oldest", "MAX(" + field.Name + ") newest"}
	var names []string
	for i := range d.Fields {
		f := o.named(d.Fields[i].Destination)
		if f == nil || denied(f.Aggregatable) || f.Aggregatable == nil && !lists(f.Type) || slices.Contains(names, d.Fields[i].Destination) {
			continue
		}
		column := "COUNT(" + f.Name + ") f" + strconv.Itoa(len(names))
		if size := len(strings.Join(columns, ", ")) + len(column) + len(rest); size > maxAddress/2 {
			q.unknown(d.Fields[i].Destination)
			continue
		}
		columns, names = append(columns, column), append(names, d.Fields[i].Destination)
	}
	return counting{"SELECT " + strings.Join(columns, ", ") + rest, func(a queryAnswer) error {
		if len(a.Records) != 1 {
			return errShape
		}
		total, err := number(a.Records[0]["total"])
		if err != nil {
			return err
		}
		q.out.Total = &total
		for i, name := range names {
			n, err := number(a.Records[0]["f"+strconv.Itoa(i)])
			if err != nil {
				return err
			}
			q.out.Missing[name] = total - n
		}
		if q.out.Oldest, err = instant(a.Records[0]["oldest"]); err == nil {
			q.out.Newest, err = instant(a.Records[0]["newest"])
		}
		return err
	}}
}

// lists reports whether fields of a type stand in aggregate functions, where describe
// does not say.
func lists(kind string) bool {
	return matchTypes[kind] != "" && kind != "textarea" && kind != "encryptedstring" || kind == "date" || kind == "datetime"
}

// apart counts what no aggregate function takes.
func (q *ages) apart(d *syncdef.Definition, o *described, rest string) {
	n := 0
	for i := range d.Fields {
		name := d.Fields[i].Destination
		f := o.named(name)
		switch {
		case f == nil:
			q.unknown(name)
		case !denied(f.Aggregatable) && (f.Aggregatable != nil || lists(f.Type)):
		case f.Type == "boolean":
			q.out.Missing[name] = 0 // a checkbox is never empty
		case denied(f.Filterable) || n == maxCounted:
			q.unknown(name)
		default:
			n++
			q.queries = append(q.queries, counted("SELECT COUNT()"+rest+" AND "+f.Name+" = null", func(n int64) { q.out.Missing[name] = n }))
		}
	}
}

func (q *ages) unknown(field string) {
	if q.out.Why != "" {
		q.out.Why += "; "
	}
	q.out.Why += "Salesforce does not count the empty values of " + field
}

func counted(soql string, take func(n int64)) counting {
	return counting{soql, func(a queryAnswer) error {
		if a.Size == nil {
			return errShape
		}
		take(*a.Size)
		return nil
	}}
}

// count makes one composite request of queries.
func (a *account) count(ctx context.Context, op string, some []counting) error {
	queries := make([]string, len(some))
	for i := range some {
		queries[i] = some[i].soql
	}
	got, err := a.client.do(ctx, request{op: op, method: http.MethodPost, path: "composite", body: a.client.composite(queries)})
	if err != nil {
		return err
	}
	defer got.free()
	parts, err := decodeComposite(got.body, len(some))
	if err != nil {
		return unreadable(op, err)
	}
	for i, p := range parts {
		if err := p.failure(op); err != nil {
			return err
		}
		var answer queryAnswer
		if json.Unmarshal(p.body, &answer) != nil {
			return unreadable(op, errShape)
		}
		if err := some[i].take(answer); err != nil {
			return unreadable(op, err)
		}
	}
	return nil
}

// named is a field by its API name, which Salesforce takes in any case; nil for none.
func (d *described) named(name string) *describedField {
	for i := range *d.Fields {
		if strings.EqualFold((*d.Fields)[i].Name, name) {
			return &(*d.Fields)[i]
		}
	}
	return nil
}

func number(v json.RawMessage) (n int64, err error) {
	if v == nil || json.Unmarshal(v, &n) != nil {
		return 0, errShape
	}
	return n, nil
}

// instant reads a date, or a date and time; nil for null.
func instant(v json.RawMessage) (*time.Time, error) {
	var text *string
	if v == nil || json.Unmarshal(v, &text) != nil {
		return nil, errShape
	}
	if text == nil {
		return nil, nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05.999-0700", time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, *text); err == nil {
			at = at.UTC()
			return &at, nil
		}
	}
	return nil, errShape
}

var _ dest.Prober = (*account)(nil)
