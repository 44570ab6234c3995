package hubspot

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/penstock-data/penstock/shared/dest"
)

// read settles what an answer tells of the inputs, and leaves the others among them:
// all are settled by an answer that is one, some by a refusal that names them.
func (p *push) read(r request, got answer) *dest.CallError {
	said, ok := readBody(got.body)
	if p.kind == archiveKind && got.status/100 == 2 && (!ok || said.Status != "error") {
		return p.archived(r, got, said)
	}
	if ok && (said.Results != nil || got.status/100 == 2 && said.Status != "error") {
		return p.account(r, got, said)
	}
	failed := judge(r, got, p.d.client.now())
	if failed == nil {
		return unreadable(r.op, got, "it has no results")
	}
	if got.status == statusLocked && len(p.inputs) == 1 { // the record; of many it is found out which
		p.settle(p.inputs[0], dest.Outcome{Status: dest.Retry, Code: failed.Code, Message: failed.Message, After: failed.After})
		return nil
	}
	if !ok || failed.Class != dest.Refused || failed.Scope == dest.ScopeVersion {
		if ok && len(p.inputs) == 1 && p.gone(said) {
			p.settle(p.inputs[0], p.outcome(said.whole(), p.inputs[0], got.status))
			return nil
		}
		return failed
	}
	whole := said.whole()
	named := p.named(whole)
	if len(p.inputs) == 1 {
		named = map[int]entry{p.inputs[0]: whole}
	}
	if len(named) == 0 {
		return failed
	}
	for n, e := range named {
		p.settle(n, p.outcome(e, n, got.status))
	}
	return nil
}

// gone reports whether a refusal says that a record which was named by id is not there.
func (p *push) gone(said body) bool {
	return (p.kind == updateKind || p.kind == archiveKind) && said.Category == "OBJECT_NOT_FOUND" && !noObject(string(said.Message))
}

func (p *push) record(n int) *dest.Record { return &p.b.Records[p.c.Records[n]] }

// settle answers one input.
func (p *push) settle(n int, o dest.Outcome) {
	p.out[n] = o
	p.inputs = slices.DeleteFunc(p.inputs, func(m int) bool { return m == n })
}

// named are the inputs that an error of the whole call is about, by trace id or id,
// each with the part of the error that is about it. An error that names all of several
// inputs tells nothing.
func (p *push) named(whole entry) map[int]entry {
	out := map[int]entry{}
	about := func(e entry) {
		for _, n := range p.about(e) {
			if _, there := out[n]; !there {
				out[n] = e
			}
		}
	}
	for _, e := range whole.Errors {
		if e.Category == "" {
			e.Category = whole.Category
		}
		about(e)
	}
	if len(out) == 0 {
		about(whole)
		if len(out) == len(p.inputs) {
			return nil
		}
	}
	return out
}

// about are the inputs that an error names.
func (p *push) about(e entry) []int {
	var out []int
	for _, t := range e.Context["objectWriteTraceId"] {
		if n, ok := p.traced(t); ok && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	if len(out) > 0 {
		return out
	}
	for _, name := range []string{"ids", "id"} {
		for _, id := range e.Context[name] {
			for _, n := range p.inputs {
				if p.kind != createKind && p.d.folded(string(id)) == p.d.folded(p.d.named(p.record(n), p.kind)) && !slices.Contains(out, n) {
					out = append(out, n)
				}
			}
		}
	}
	return out
}

// traced is the input of a trace id.
func (p *push) traced(t text) (int, bool) {
	n, err := strconv.Atoi(string(t))
	return n, err == nil && slices.Contains(p.inputs, n)
}

// account reads results and errors: together they are the inputs, or it is no answer. Of new
// records, which are never sent twice, what it does name holds all the same.
func (p *push) account(r request, got answer, said body) *dest.CallError {
	entries, ok := said.entries()
	why := "" // not all is told
	if !ok {
		why = "its errors are no whole list"
	} else if !said.done() && said.Status != "error" {
		why = "its batch is not done"
	}
	settled := map[int]dest.Outcome{}
	if said.Results != nil {
		for _, one := range *said.Results {
			n, ok := p.written(one)
			if _, twice := settled[n]; !ok || twice {
				return unreadable(r.op, got, "it has results that were not asked for")
			}
			settled[n] = dest.Outcome{Status: dest.Delivered, ID: p.keptID(n, one), Created: one.New || p.kind == createKind}
		}
	}
	var loose []entry
	for _, e := range entries {
		about := p.about(e)
		if len(about) == 0 {
			loose = append(loose, e)
		}
		for _, n := range about {
			if o, twice := settled[n]; twice && o.Status == dest.Delivered {
				return unreadable(r.op, got, "it says of one record that it was written and that it was not")
			}
			settled[n] = p.outcome(e, n, got.status)
		}
	}
	var rest []int
	for _, n := range p.inputs {
		if _, there := settled[n]; !there {
			rest = append(rest, n)
		}
	}
	if why == "" && len(loose) < len(rest) && (p.kind == createKind || len(loose) == 0) {
		why = "it does not account for every record"
	}
	switch {
	case why != "" && (p.kind != createKind || len(settled) == 0):
		return unreadable(r.op, got, why)
	case why != "":
		failed := unreadable(r.op, got, why)
		for _, n := range rest {
			settled[n] = dest.Outcome{Status: dest.Unknown, Code: failed.Code, Message: failed.Error()}
		}
	case len(rest) == 1:
		settled[rest[0]] = p.outcome(loose[0], rest[0], got.status)
	case len(rest) > 1 && p.kind == createKind:
		for _, n := range rest {
			settled[n] = p.unnamed(loose, n, got.status)
		}
	case len(rest) > 1:
		// Which record each error is about shows when there is one in a call.
		return &dest.CallError{Op: r.op, Class: dest.Refused, Code: "unnamed_errors", Message: "HubSpot refuses several records and does not say which"}
	}
	for n, o := range settled {
		p.settle(n, o)
	}
	return nil
}

// unnamed is the outcome of an input that one of the errors is about, which do not say whose
// they are: what they have in common.
func (p *push) unnamed(loose []entry, n, status int) dest.Outcome {
	out := p.outcome(loose[0], n, status)
	out.Field, out.Message = "", detail{code: out.Code}.message()
	for _, e := range loose[1:] {
		o := p.outcome(e, n, status)
		if o.Code != out.Code {
			out.Scope, out.Code, out.Message = dest.ScopeUntold, "unnamed_errors", "HubSpot refuses several records of the call for different reasons, and does not say which for what"
		}
		if o.Status == dest.Retry {
			out.Status = dest.Retry
		}
	}
	return out
}

// archived reads what becomes of a batch to archive: nothing at all is said with 204,
// also of ids that are gone already, and errors with any other status are the records' that
// they name.
func (p *push) archived(r request, got answer, said body) *dest.CallError {
	entries, ok := said.entries()
	if !ok || !said.done() || got.status != http.StatusNoContent && said.Status != complete && len(entries) == 0 {
		return unreadable(r.op, got, "it does not say that the records are archived")
	}
	failed := map[int]dest.Outcome{}
	for _, e := range entries {
		about := p.about(e)
		if len(about) == 0 && len(p.inputs) > 1 {
			return &dest.CallError{Op: r.op, Class: dest.Refused, Code: "unnamed_errors", Message: "HubSpot refuses to archive records and does not say which"}
		} else if len(about) == 0 {
			about = p.inputs
		}
		for _, n := range about {
			failed[n] = p.outcome(e, n, got.status)
		}
	}
	for _, n := range slices.Clone(p.inputs) {
		o, there := failed[n]
		if !there {
			o = dest.Outcome{Status: dest.Delivered, ID: p.d.named(p.record(n), p.kind)}
		}
		p.settle(n, o)
	}
	return nil
}

// keptID is the id to remember of a record that was written. A merged one answers with the
// id of the record that it became: its own tells a removal that it is not that record.
func (p *push) keptID(n int, one result) string {
	if p.kind == updateKind {
		return p.d.named(p.record(n), p.kind)
	}
	return string(one.ID)
}

// written is the input that a result is of: by its trace id, else by the id that was
// sent, else the only one.
func (p *push) written(one result) (int, bool) {
	if one.ID == "" {
		return 0, false
	}
	if one.Trace != "" {
		return p.traced(one.Trace)
	}
	if len(p.inputs) == 1 {
		return p.inputs[0], true
	}
	if p.kind == createKind {
		return 0, false
	}
	id := string(one.ID)
	if p.kind == upsertKind {
		id = property(one.Properties, p.d.def.Match.Destination)
	}
	for _, n := range p.inputs {
		if id != "" && p.d.folded(id) == p.d.folded(p.d.named(p.record(n), p.kind)) {
			return n, true
		}
	}
	return 0, false
}

// property is a property's text in a result; "" when it is absent or null.
func property(properties json.RawMessage, name string) string {
	var members map[string]text
	if json.Unmarshal(properties, &members) != nil {
		return ""
	}
	return strings.TrimSpace(string(members[name]))
}
