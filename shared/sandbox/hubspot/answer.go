package hubspot

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// A failure is an error as HubSpot answers it: of a whole call, or of one input.
type failure struct {
	status      int
	Category    string              `json:"category,omitempty"`
	SubCategory string              `json:"subCategory,omitempty"`
	Message     string              `json:"message"`
	Errors      []detail            `json:"errors,omitempty"`
	Context     map[string][]string `json:"context,omitempty"`
	ErrorType   string              `json:"errorType,omitempty"`
	Policy      string              `json:"policyName,omitempty"`
}

// A detail is one error within a failure.
type detail struct {
	Message string              `json:"message"`
	Code    string              `json:"code,omitempty"`
	In      string              `json:"in,omitempty"`
	Context map[string][]string `json:"context,omitempty"`
}

const validation = "VALIDATION_ERROR"

// invalid is a failure that a request's content is to blame for.
func invalid(format string, args ...any) *failure {
	return &failure{status: http.StatusBadRequest, Category: validation, Message: fmt.Sprintf(format, args...)}
}

// refuse answers a whole call's failure.
func (c *call) refuse(f *failure) {
	type whole struct {
		Status      string `json:"status"`
		Correlation string `json:"correlationId"`
		*failure
	}
	c.reply(f.status, whole{Status: "error", Correlation: "b8e1f9f6-36c4-4f4c-a3a0-000000004711", failure: f})
}

// reply answers JSON.
func (c *call) reply(status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic("hubspot: an answer: " + err.Error())
	}
	c.w.Header().Set("Content-Type", "application/json;charset=utf-8")
	c.w.WriteHeader(status)
	c.w.Write(b) //nolint:errcheck // the client may be gone; there is nobody to tell
}

// A record is one record in an answer.
type record struct {
	ID         string             `json:"id"`
	Properties map[string]*string `json:"properties"`
	Created    string             `json:"createdAt"`
	Updated    string             `json:"updatedAt"`
	Archived   bool               `json:"archived"`
	New        *bool              `json:"new,omitempty"`
	Trace      string             `json:"objectWriteTraceId,omitempty"`
}

const instant = "2006-01-02T15:04:05.000Z"

// record shows a row: the properties asked for, and what HubSpot always shows.
func (o *object) record(row int, names []string) record {
	out := record{ID: idOf(row), Properties: map[string]*string{}, Created: at(o.table.Created(row)), Updated: at(o.table.Modified(row)), Archived: o.table.Deleted(row)}
	for i := range system(o.contacts()) {
		p := o.Properties[i].Name
		out.Properties[p] = o.value(row, p)
	}
	for _, name := range names {
		if _, there := o.property(name); there { // unknown ones are left out, as HubSpot does
			out.Properties[name] = o.value(row, name)
		}
	}
	return out
}

// value is a property's text; nil is null.
func (o *object) value(row int, name string) *string {
	var s string
	switch name {
	case propID:
		s = idOf(row)
	case "createdate":
		s = at(o.table.Created(row))
	case "lastmodifieddate", "hs_lastmodifieddate":
		s = at(o.table.Modified(row))
	default:
		column, there := o.table.Lookup(name)
		if !there || o.table.Null(row, column) {
			return nil
		}
		s = string(o.table.Get(row, column))
	}
	return &s
}

func at(t time.Time) string { return t.UTC().Format(instant) }
