package hubspot

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// maxInputs is the cap on a batch.
const maxInputs = 100

// A batchAnswer is what a batch is answered with.
type batchAnswer struct {
	Status    string       `json:"status"`
	Results   []record     `json:"results"`
	NumErrors int          `json:"numErrors,omitempty"`
	Errors    []batchError `json:"errors,omitempty"`
	Started   string       `json:"startedAt"`
	Completed string       `json:"completedAt"`
}

// A batchError is one input's failure.
type batchError struct {
	Status string `json:"status"`
	*failure
}

// batch is POST …/batch/{verb}.
func (s *Server) batch(c *call) *failure {
	verb := c.r.PathValue("verb")
	o, failed := s.object(c.r.PathValue("object"), verb == "upsert" || verb == "create")
	if failed != nil {
		return failed
	}
	var in struct {
		Inputs     []input  `json:"inputs"`
		IDProperty string   `json:"idProperty"`
		Properties []string `json:"properties"`
		History    []string `json:"propertiesWithHistory"`
	}
	if json.Unmarshal(c.body, &in) != nil || in.Inputs == nil {
		return invalid("Invalid input JSON on line 1, column 1: Some required fields were not set: [inputs]")
	}
	if len(in.Inputs) > maxInputs {
		return invalid("The maximum batch size is %d; this batch has %d", maxInputs, len(in.Inputs))
	}
	if failed := distinct(o, in.Inputs); failed != nil {
		return failed
	}
	switch verb {
	case "upsert", "update", "create":
		return s.writeBatch(c, o, verb, in.Inputs)
	case "read":
		if in.Properties == nil || in.History == nil {
			return invalid("Invalid input JSON on line 1, column 1: Some required fields were not set: [properties, propertiesWithHistory]")
		}
		return s.readBatch(c, o, in.Inputs, in.IDProperty, in.Properties)
	case "archive":
		return s.archiveBatch(c, o, in.Inputs)
	}
	return &failure{status: http.StatusNotFound, Message: "resource not found"}
}

// archiveBatch puts records into the recycling bin, all or none; ids that are gone are no
// failure, and one that is no record id is the whole call's.
func (s *Server) archiveBatch(c *call, o *object, inputs []input) *failure {
	rows := make([]int, 0, len(inputs))
	for _, in := range inputs {
		switch {
		case in.ID == nil || strings.TrimSpace(*in.ID) == "":
			return invalid("Invalid input JSON: Some required fields were not set: [id]")
		case strings.Trim(*in.ID, "0123456789") != "":
			return invalid("id must be numeric")
		case in.IDProperty != "" && in.IDProperty != propID:
			return invalid("Invalid input JSON: archive takes record ids")
		}
		row := o.rowOf(*in.ID)
		if f := s.struck(c, o, in, row, nil); f != nil {
			return f
		}
		if row >= 0 {
			rows = append(rows, row)
		}
	}
	for _, row := range rows {
		s.store.Writer().Remove(o.table, row)
	}
	if err := s.store.Writer().Commit(); err != nil {
		return broken(err)
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

func broken(err error) *failure {
	return &failure{status: http.StatusInternalServerError, Message: "internal error: " + err.Error()}
}

// distinct refuses ids that are there twice.
func distinct(o *object, inputs []input) *failure {
	seen := map[string]bool{}
	for _, in := range inputs {
		if in.ID == nil {
			continue
		}
		id := in.IDProperty + "\x00" + o.canonical(in.IDProperty, *in.ID)
		if seen[id] {
			return invalid("Duplicate IDs found in batch input: [%s]. IDs must be unique", *in.ID)
		}
		seen[id] = true
	}
	return nil
}

// traced reports whether every input has a trace id of its own, which is what makes
// an answer per input possible.
func traced(inputs []input) bool {
	var seen []string
	for _, in := range inputs {
		if in.Trace == "" || slices.Contains(seen, in.Trace) {
			return false
		}
		seen = append(seen, in.Trace)
	}
	return true
}

// writeBatch judges all inputs before it writes any.
func (s *Server) writeBatch(c *call, o *object, verb string, inputs []input) *failure {
	if slices.ContainsFunc(inputs, func(in input) bool { return in.Properties == nil }) {
		return invalid("Invalid input JSON on line 1, column 1: Some required fields were not set: [properties]")
	}
	if failed := s.known(o, inputs); failed != nil {
		return failed
	}
	plans, taken := make([]plan, len(inputs)), map[string]int{}
	var first *failure
	for i, in := range inputs {
		var failed *failure
		if plans[i], failed = s.planned(c, o, verb, in, taken, i); failed != nil {
			return failed
		}
		if first == nil {
			first = plans[i].failed
		}
	}
	if first != nil && (s.opts.WholeBatch || !traced(inputs)) {
		return first
	}
	out := batchAnswer{Status: "COMPLETE", Results: []record{}, Started: at(s.core.Now()), Completed: at(s.core.Now())}
	w := s.store.Writer()
	for i, p := range plans {
		if p.failed != nil {
			p.failed.Context = merged(p.failed.Context, inputs[i].Trace)
			out.Errors = append(out.Errors, batchError{Status: "error", failure: p.failed})
			continue
		}
		row := w.Put(o.table, p.row, s.core.Now(), p.changes)
		shown := o.record(row, p.names)
		shown.Trace = inputs[i].Trace
		if fresh := p.row < 0; verb == "upsert" {
			shown.New = &fresh
		}
		out.Results = append(out.Results, shown)
	}
	if err := w.Commit(); err != nil {
		return broken(err)
	}
	out.NumErrors = len(out.Errors)
	status := http.StatusOK
	switch {
	case len(out.Errors) > 0:
		status = http.StatusMultiStatus
	case verb == "create":
		status = http.StatusCreated
	}
	c.reply(status, out)
	return nil
}

func merged(context map[string][]string, trace string) map[string][]string {
	out := map[string][]string{"objectWriteTraceId": {trace}}
	for name, list := range context {
		out[name] = list
	}
	return out
}

// planned judges one input; the failure is the whole call's.
func (s *Server) planned(c *call, o *object, verb string, in input, taken map[string]int, at int) (plan, *failure) {
	values, failed := texts(in)
	if failed != nil {
		return plan{}, failed
	}
	if verb != "create" && (in.ID == nil || strings.TrimSpace(*in.ID) == "") {
		return plan{}, invalid("Invalid input JSON: Some required fields were not set: [id]")
	}
	if verb == "upsert" && in.IDProperty == "" {
		return plan{}, invalid("Unable to perform update/upsert by non-unique %s property %s", o.ID, propID)
	}
	row := records.NewRow
	if verb != "create" {
		if in.IDProperty != "" {
			if failed := o.unique(in.IDProperty, verb); failed != nil {
				return plan{}, failed
			}
		}
		row = o.find(*in.ID, in.IDProperty)
	}
	if f := s.struck(c, o, in, row, values); f != nil {
		return plan{failed: f}, nil
	}
	switch {
	case row < 0 && verb == "update":
		return plan{failed: &failure{status: http.StatusNotFound, Category: "OBJECT_NOT_FOUND", Message: "Could not get some " + strings.ToUpper(o.Singular) + " objects, they may be deleted or not exist. Check that ids are valid.", Context: map[string][]string{"ids": {*in.ID}}}}, nil
	case row < 0 && verb == "upsert":
		if _, there := values[in.IDProperty]; !there {
			values[in.IDProperty] = *in.ID
		}
	}
	return s.plan(o, row, values, taken, at), nil
}

// struck asks whether a fault is armed for this record, which is known by its ids and
// values.
func (s *Server) struck(c *call, o *object, in input, row int, values map[string]string) *failure {
	if !s.core.FailsRecords() {
		return nil
	}
	var names []string
	if in.ID != nil {
		names = append(names, *in.ID)
	}
	if row >= 0 {
		names = append(names, idOf(row))
		for _, p := range o.Properties {
			if v := o.value(row, p.Name); v != nil && p.Unique {
				names = append(names, *v)
			}
		}
	}
	for _, v := range values {
		names = append(names, v)
	}
	for _, name := range names {
		if code, message, fail := s.core.FailRecord(c.r, name); fail {
			return &failure{status: http.StatusBadRequest, Category: code, Message: message}
		}
	}
	return nil
}

// readBatch answers the records that are there, and names the others.
func (s *Server) readBatch(c *call, o *object, inputs []input, property string, names []string) *failure {
	if property != "" && property != propID {
		if failed := o.unique(property, "read"); failed != nil {
			return failed
		}
	}
	out := batchAnswer{Status: "COMPLETE", Results: []record{}, Started: at(s.core.Now()), Completed: at(s.core.Now())}
	var gone []string
	var rows []int
	for _, in := range inputs {
		if in.ID == nil {
			return invalid("Invalid input JSON: Some required fields were not set: [id]")
		}
		row := o.find(*in.ID, property)
		switch {
		case row < 0:
			gone = append(gone, *in.ID)
		case !slices.Contains(rows, row):
			rows = append(rows, row)
		}
	}
	slices.Sort(rows) // the order is not that of the inputs
	for _, row := range rows {
		out.Results = append(out.Results, o.record(row, names))
	}
	status := http.StatusOK
	if len(gone) > 0 {
		status, out.NumErrors = http.StatusMultiStatus, 1
		out.Errors = []batchError{{Status: "error", failure: &failure{Category: "OBJECT_NOT_FOUND", Context: map[string][]string{"ids": gone},
			Message: "Could not get some " + strings.ToUpper(o.Singular) + " objects, they may be deleted or not exist. Check that ids are valid."}}}
	}
	c.reply(status, out)
	return nil
}
