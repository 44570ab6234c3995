package salesforce

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// readSize is how many records one call reads: Salesforce gives 2,000 ("REST API Developer
// Guide", Get Multiple Records with sObject Collections with a Request Body), of which a
// quarter fits into an answer even where long texts are mapped.
const readSize = 500

// ReadSize implements dest.Reader.
func (a *account) ReadSize() int { return readSize }

// ReadCalls implements dest.Reader: describe, and a call for every 500 records.
func (a *account) ReadCalls(_ *syncdef.Definition, records int) int {
	return 1 + (records+readSize-1)/readSize
}

// Readable implements dest.Reader by the object's describe, which shows the fields that the
// integration user may read.
func (a *account) Readable(ctx context.Context, d *syncdef.Definition, fields []string, spend dest.Spend) ([]dest.Readable, error) {
	if err := spend(ctx, oneCall[0]); err != nil {
		return nil, err
	}
	op := "describe " + d.Object
	var object described
	if err := a.read(ctx, op, "sobjects/"+url.PathEscape(d.Object)+"/describe", &object); err != nil {
		return nil, err
	}
	if object.Fields == nil {
		return nil, unreadable(op, errShape)
	}
	out := make([]dest.Readable, len(fields))
	for i, name := range fields {
		f := object.named(name)
		if f == nil {
			out[i].Why = "Salesforce does not show it to the integration user"
			continue
		}
		out[i] = f.readable(d.MappingOf(name))
	}
	return out, nil
}

// readable says what reading a field back tells.
func (f *describedField) readable(m syncdef.Field) (out dest.Readable) {
	switch {
	case f.Calculated || f.AutoNumber:
		out.Why = f.why()
	case f.Type == "encryptedstring":
		out.Why = "Salesforce shows an encrypted text masked"
	case f.Type == "boolean":
		out.Empty = jsontext.Value("false")
	case f.Type == "datetime":
		out.Also = fractions
	case f.Type == "id" || f.Type == "reference":
		out.Also = shortID
	case (f.Type == "double" || f.Type == "currency" || f.Type == "percent") && m.Type == syncdef.Number && (m.Scale == nil || *m.Scale > f.Scale):
		out.Alters = fmt.Sprintf("Salesforce rounds it to %d digits after the point: write scale: %d", f.Scale, f.Scale)
	default:
		out.Trims = takesText(f.Type)
	}
	return out
}

func takesText(kind string) bool {
	t := takes[kind]
	return len(t) > 1 && t[0] != syncdef.Number
}

// fractions are the moments within a second, where Salesforce shows none: it is not
// documented that it keeps a fraction.
func fractions(v jsontext.Value) (out []jsontext.Value) {
	text, ok := rawjson.Text(v)
	seconds, rest, whole := strings.Cut(text, ".000")
	if !ok || !whole {
		return nil
	}
	for ms := 1; ms < 1000; ms++ {
		out = append(out, rawjson.AppendQuote(nil, fmt.Sprintf("%s.%03d%s", seconds, ms, rest)))
	}
	return out
}

// shortID is the form of 15 characters that a row may have, where Salesforce shows 18.
func shortID(v jsontext.Value) []jsontext.Value {
	text, ok := rawjson.Text(v)
	if !ok || len(text) != 18 {
		return nil
	}
	return []jsontext.Value{rawjson.AppendQuote(nil, text[:15])}
}

// Read implements dest.Reader: the records in the ids' order, null for one that is not
// there, or that the user may not see. Each tells its Id, which is to be the one asked for.
func (a *account) Read(ctx context.Context, d *syncdef.Definition, fields, ids []string, spend dest.Spend) ([]dest.Kept, error) {
	if err := spend(ctx, oneCall[0]); err != nil {
		return nil, err
	}
	op := "read records of " + d.Object
	asked := fields
	own := slices.IndexFunc(fields, func(name string) bool { return strings.EqualFold(name, idField) })
	if own < 0 {
		own, asked = len(fields), append(slices.Clone(fields), idField)
	}
	body, err := json.Marshal(map[string][]string{"ids": ids, "fields": asked})
	if err != nil {
		return nil, unreadable(op, errShape)
	}
	got, err := a.client.do(ctx, request{op: op, method: http.MethodPost, path: "composite/sobjects/" + url.PathEscape(d.Object), body: body})
	if err != nil {
		return nil, err
	}
	defer got.free()
	if err := whole(got.body); err != nil {
		return nil, unreadable(op, err)
	}
	var rows []map[string]jsontext.Value
	if json.Unmarshal(got.body, &rows) != nil || len(rows) != len(ids) {
		return nil, unreadable(op, errShape)
	}
	out := make([]dest.Kept, len(ids))
	for i, row := range rows {
		if row == nil {
			out[i].Gone = true
			continue
		}
		values := valuesOf(row, asked)
		if _, err := sameID(values[own], ids[i]); err != nil {
			return nil, unreadable(op, errOtherID)
		}
		out[i].Values = values[:len(fields)]
	}
	return out, nil
}

// valuesOf are a record's values of these fields; nil where one is not shown.
func valuesOf(row map[string]jsontext.Value, fields []string) []jsontext.Value {
	byName := make(map[string]jsontext.Value, len(row))
	for name, v := range row {
		byName[strings.ToLower(name)] = v
	}
	out := make([]jsontext.Value, len(fields))
	for i, name := range fields {
		out[i] = byName[strings.ToLower(name)]
	}
	return out
}

var _ dest.Reader = (*account)(nil)
