package hubspot

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// readSize is how many records one call reads: what a batch takes.
const readSize = 100

// propMerged names the records that a record was merged from, joined by semicolons.
const propMerged = "hs_merged_object_ids"

// ReadSize implements dest.Reader.
func (a *account) ReadSize() int { return readSize }

// ReadCalls implements dest.Reader: the object's properties, and a batch for every 100
// records.
func (a *account) ReadCalls(_ *syncdef.Definition, records int) int {
	return 1 + (records+readSize-1)/readSize
}

// Readable implements dest.Reader by the object's properties.
func (a *account) Readable(ctx context.Context, d *syncdef.Definition, fields []string, spend dest.Spend) ([]dest.Readable, error) {
	if err := spend(ctx, oneCall[0]); err != nil {
		return nil, err
	}
	all, err := a.properties(ctx, d.Object)
	if err != nil {
		return nil, err
	}
	out := make([]dest.Readable, len(fields))
	for i, name := range fields {
		out[i].Trims = name == propEmail // encode does
		at := slices.IndexFunc(all, func(p Property) bool { return p.Name == name })
		switch f := d.MappingOf(name); {
		case at < 0 || all[at].Archived:
			out[i].Why = d.Object + " has no such property any more, or the key may not see it"
		case all[at].Calculated:
			out[i].Why = "HubSpot computes it"
		case name == propEmail && !slices.Contains(f.Transform, "lower"):
			out[i].Alters = "HubSpot keeps addresses in lower case: write transform: [lower]"
		case f.Type == syncdef.JSON: // encode leaves empty values out; whether HubSpot keeps the order is not documented
			out[i].Also, out[i].Alters = lists, "HubSpot keeps a list without its empty values, and may put it in another order"
		}
	}
	return out, nil
}

// lists are the lists that are written as the text of several options: of texts, or of
// numbers.
func lists(v jsontext.Value) []jsontext.Value {
	text, ok := rawjson.Text(v)
	if !ok || text == "" {
		return []jsontext.Value{jsontext.Value("[]")}
	}
	options, plain := []byte{'['}, []byte{'['}
	for i, one := range strings.Split(text, ";") {
		if i > 0 {
			options, plain = append(options, ','), append(plain, ',')
		}
		options, plain = rawjson.AppendQuote(options, one), append(plain, one...)
	}
	out := []jsontext.Value{append(options, ']')}
	if numbers := jsontext.Value(append(plain, ']')); numbers.IsValid() {
		out = append(out, numbers)
	}
	return out
}

// Read implements dest.Reader with a batch/read by record ids, whose answer has its own
// order, and leaves out what is not there; what it does not name either is asked for once
// more, as in Lookup. A record that was merged into another one answers with that one, which
// names it.
func (a *account) Read(ctx context.Context, d *syncdef.Definition, fields, ids []string, spend dest.Spend) ([]dest.Kept, error) {
	there, silent, err := a.records(ctx, d, fields, ids, spend)
	if err == nil && len(silent) > 0 {
		var more map[string]map[string]*text
		more, _, err = a.records(ctx, d, fields, silent, spend)
		maps.Copy(there, more)
	}
	if err != nil {
		return nil, err
	}
	out := make([]dest.Kept, len(ids))
	for i, id := range ids {
		properties, is := there[id]
		if out[i].Gone = !is; is {
			out[i].Values = valuesOf(d, properties, fields)
		}
	}
	return out, nil
}

// records makes one call: the properties by id, and the ids of which the answer says nothing.
func (a *account) records(ctx context.Context, d *syncdef.Definition, fields, ids []string, spend dest.Spend) (there map[string]map[string]*text, silent []string, err error) {
	if err := spend(ctx, oneCall[0]); err != nil {
		return nil, nil, err
	}
	r := request{op: "read " + d.Object, method: http.MethodPost, path: "/crm/objects/" + apiVersion + "/" + objectPath(d.Object) + "/batch/read", object: true,
		body: readQuestion(fields, ids), holds: func(s string) bool { return slices.Contains(ids, s) }}
	got, err := a.client.do(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	there = map[string]map[string]*text{}
	said, ok := readBody(got.body)
	if ok && got.status == http.StatusNotFound && said.Category == "OBJECT_NOT_FOUND" && len(ids) == 1 && !noObject(string(said.Message)) {
		return there, nil, nil
	}
	if failed := judge(r, got, a.client.now()); failed != nil {
		return nil, nil, failed
	}
	entries, ok := said.entries()
	if said.Results == nil || !ok || !said.done() || slices.ContainsFunc(entries, func(e entry) bool { return e.Category != "OBJECT_NOT_FOUND" }) {
		return nil, nil, unreadable(r.op, got, "it does not account for every record")
	}
	for _, one := range *said.Results {
		var properties map[string]*text
		if one.ID == "" || json.Unmarshal(one.Properties, &properties) != nil {
			return nil, nil, unreadable(r.op, got, "a record has no id, or no properties")
		}
		there[string(one.ID)] = properties
		if from := properties[propMerged]; from != nil {
			for _, id := range strings.Split(string(*from), ";") {
				if there[id] == nil {
					there[id] = properties
				}
			}
		}
	}
	for _, id := range ids {
		named := func(e entry) bool { return slices.Contains(e.Context["ids"], text(id)) }
		if there[id] == nil && !slices.ContainsFunc(entries, named) {
			silent = append(silent, id)
		}
	}
	return there, silent, nil
}

// readQuestion is {"inputs":[{"id":"1"}],"properties":["name",..],"propertiesWithHistory":[]}.
func readQuestion(fields, ids []string) []byte {
	out := []byte(`{"inputs":[`)
	for i, id := range ids {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(rawjson.AppendQuote(append(out, `{"id":`...), id), '}')
	}
	out = rawjson.AppendQuote(append(out, `],"properties":[`...), propMerged)
	for _, name := range fields {
		out = rawjson.AppendQuote(append(out, ','), name)
	}
	return append(out, `],"propertiesWithHistory":[]}`...)
}

// valuesOf are a record's values as JSON of the mapped types: HubSpot has texts alone.
func valuesOf(d *syncdef.Definition, properties map[string]*text, fields []string) []jsontext.Value {
	out := make([]jsontext.Value, len(fields))
	for i, name := range fields {
		v, shown := properties[name]
		switch kind := d.MappingOf(name).Type; {
		case !shown:
		case v == nil || *v == "":
			out[i] = jsontext.Value("null")
		case (kind == syncdef.Number || kind == syncdef.Integer) && jsontext.Value(*v).Kind() == '0' && jsontext.Value(*v).IsValid():
			out[i] = jsontext.Value(*v)
		case kind == syncdef.Boolean && (*v == "true" || *v == "false"):
			out[i] = jsontext.Value(*v)
		default:
			out[i] = rawjson.AppendQuote(nil, string(*v))
		}
	}
	return out
}

var _ dest.Reader = (*account)(nil)
