package duckdb

import (
	"bytes"
	"encoding/json"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
)

// A Batch is one request that the gateway answered, as Config.Answered is told of it.
type Batch struct {
	Function string // penstock_push
	Query    string // the statement's id
	Rows     int
	// Names are the distinct texts that its rows named: of penstock_push the syncs and
	// runs of its first argument, of any other function the runs of its answers.
	Names []string
	// Nowhere is how many rows no run took, because what they named is none that takes them;
	// Why is what the first of them was told.
	Nowhere int
	Why     string
}

// batch sums up a request and its answer.
func (f *function) batch(query string, args [][]jsontext.Value, answers []jsontext.Value) Batch {
	b := Batch{Function: f.name, Query: query, Rows: len(answers)}
	last := ""
	for i, answer := range answers {
		name := answer
		switch why, nowhere := takenByNone(answer); {
		case f.name != push:
			name = member(answer, "run")
		case nowhere:
			if b.Nowhere++; b.Nowhere == 1 {
				b.Why = why
			}
			continue
		case len(args) > i && len(args[i]) > 0:
			name = args[i][0]
		}
		if text := rawjson.Scalar(name); text != "" && text != last {
			b.Names, last = append(b.Names, text), text
		}
	}
	return b
}

// takenByNone reports whether a row of penstock_push was rejected by no run, and why. The short
// answers of a reply that would be too long have neither run nor message, and do not tell.
func takenByNone(answer jsontext.Value) (why string, nowhere bool) {
	if !bytes.HasPrefix(answer, []byte(`{"status":"rejected"`)) || rawjson.Get(answer, "run") != nil {
		return "", false
	}
	return rawjson.Text(rawjson.Get(answer, "error_message"))
}

// push is the function whose rows name where they go.
const push = "penstock_push"

// member is a member of an answer, nil when it has none.
func member(object jsontext.Value, name string) jsontext.Value {
	var members map[string]jsontext.Value
	if object.Kind() != '{' || json.Unmarshal(object, &members) != nil {
		return nil
	}
	return members[name]
}
