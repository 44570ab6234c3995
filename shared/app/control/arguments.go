package control

import (
	"encoding/json"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/wire"
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
	if max(len(s.Records), len(s.Types), len(s.Stages), len(s.Fields), len(s.Refs)) > maxSelected {
		return s, row.Refuse("penstock_retry(run, selector): at most %d records, types, stages, fields and errors are taken in one call", maxSelected)
	}
	return s, run.CheckPage(s.After)
}

// texts refuses an argument that has to be text and is something else, which would pass
// for one that was left out.
func texts(function string, c wire.Call) error {
	for _, p := range []wire.Param{wire.Sync, wire.Run, wire.Target, wire.Mode, wire.After, wire.From} {
		if v := c.Value(p); v != nil && v.Kind() != '"' {
			return row.Refuse("%s: the argument %s must be text", function, p)
		}
	}
	return nil
}

// verdict is the second argument of penstock_gate: an object, or its text, as warehouses
// pass a value of any type.
func verdict(v jsontext.Value) []byte {
	if text, ok := rawjson.Text(v); ok {
		return []byte(text)
	}
	return v
}

// maxReason is how many bytes are kept of why a run is cancelled.
const maxReason = 500

// reason is why a run is cancelled, cut where it is long: a procedure that failed passes
// what the warehouse said, and must not fail to close its run by that.
func reason(c wire.Call) string {
	text := c.Text(wire.Reason)
	if len(text) <= maxReason {
		return text
	}
	return strings.ToValidUTF8(text[:maxReason-len("…")], "") + "…"
}
