package control

import (
	"encoding/json"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// maxSelected is how many records or types a selector may name: each error of the run
// is compared with them.
const maxSelected = 1000

// selector reads the second argument of penstock_retry: an object, or its text, as
// warehouses pass a value of any type. Null selects all.
func selector(v jsontext.Value) (s runs.Selector, err error) {
	text := string(v)
	if v.Kind() == '"' {
		text, _ = rawjson.Text(v)
	}
	if text = strings.TrimSpace(text); text == "" || text == "null" {
		return s, nil
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if !jsontext.Value(text).IsValid() || text[0] != '{' || d.Decode(&s) != nil {
		return s, row.Refuse(`penstock_retry(run, selector): the selector is an object such as {"records": ["42"], "types": ["unknown"]}`)
	}
	if len(s.Records) > maxSelected || len(s.Types) > maxSelected {
		return s, row.Refuse("penstock_retry(run, selector): at most %d records and types are taken in one call", maxSelected)
	}
	return s, page(s.After)
}

// page refuses what cannot be the next of an earlier answer; "" is the first page.
func page(after string) error {
	if after == "" || run.IsPage(after) {
		return nil
	}
	return row.Refuse(`this is no place to go on from: pass the "next" of the answer before, or nothing`)
}
