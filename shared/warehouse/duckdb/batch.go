package duckdb

import (
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
}

// batch sums up a request and its answer.
func (f *function) batch(query string, args [][]jsontext.Value, answers []jsontext.Value) Batch {
	b := Batch{Function: f.name, Query: query, Rows: len(answers)}
	last := ""
	for i, answer := range answers {
		name := answer
		if f.name != push {
			name = member(answer, "run")
		} else if len(args) > i && len(args[i]) > 0 {
			name = args[i][0]
		}
		if text := rawjson.Scalar(name); text != "" && text != last {
			b.Names, last = append(b.Names, text), text
		}
	}
	return b
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
