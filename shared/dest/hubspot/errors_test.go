package hubspot_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// three are three new contacts.
func three() dest.Batch {
	return dest.Batch{Run: "r:1", Records: []dest.Record{contact(1), contact(2), contact(3)}}
}

// answered pushes a batch's one call after a fault was armed.
func answered(t *testing.T, w *world, b dest.Batch, f sandbox.Fault) ([]dest.Outcome, *dest.CallError) {
	t.Helper()
	f.Match = "/batch/"
	if err := w.sim.Core().AddFault(f); err != nil {
		t.Fatal(err)
	}
	out, err := w.Push(t.Context(), b, w.Calls(b, 0)[0])
	w.sim.Core().ClearFaults()
	var call *dest.CallError
	if err != nil && !errors.As(err, &call) {
		t.Fatal(err)
	}
	return out, call
}

// What a whole call's failure is, by status and body ("Handling API errors").
func TestCallErrors(t *testing.T) {
	const (
		unknownProperty = `Property values were not valid: [{\"isValid\":false,\"message\":\"Property \\\"nope\\\" does not exist\",\"error\":\"PROPERTY_DOESNT_EXIST\",\"name\":\"nope\",\"localizedErrorMessage\":\"x\"}]`
		option          = `Property values were not valid: [{\"isValid\":false,\"message\":\"enormous was not one of the allowed options\",\"error\":\"INVALID_OPTION\",\"name\":\"ltv_segment\"}]`
	)
	body := func(category, message string, more ...string) string {
		return `{"status":"error","message":"` + message + `","correlationId":"c","category":"` + category + `"` + strings.Join(more, "") + `}`
	}
	hour := map[string]string{"Retry-After": "3600"}
	for name, c := range map[string]struct {
		status int
		body   string
		header map[string]string
		want   dest.CallError
		says   string
	}{
		"a bad token":         {401, body("INVALID_AUTHENTICATION", "no"), nil, dest.CallError{Class: dest.Configuration, Scope: dest.ScopeConnection, Code: "INVALID_AUTHENTICATION"}, "Service Key"},
		"a scope":             {403, body("MISSING_SCOPES", "no", `,"errors":[{"message":"One or more of the following scopes are required.","context":{"requiredGranularScopes":["crm.objects.contacts.write"]}}]`), nil, dest.CallError{Class: dest.Configuration, Scope: dest.ScopeVersion, Code: "MISSING_SCOPES"}, "crm.objects.contacts.write"},
		"forbidden":           {403, body("BANNED", "no"), nil, dest.CallError{Class: dest.Configuration, Code: "BANNED"}, "scopes"},
		"ten seconds":         {429, `{"status":"error","message":"x","errorType":"RATE_LIMIT","policyName":"TEN_SECONDLY_ROLLING"}`, map[string]string{"X-HubSpot-RateLimit-Interval-Milliseconds": "10000"}, dest.CallError{Class: dest.Throttled, Scope: dest.ScopeConnection, Quota: dest.QuotaSecond, Code: "TEN_SECONDLY_ROLLING", After: 10 * time.Second}, ""},
		"a second":            {429, `{"policyName":"SECONDLY"}`, nil, dest.CallError{Class: dest.Throttled, Scope: dest.ScopeConnection, Quota: dest.QuotaSecond, Code: "SECONDLY"}, ""},
		"the day":             {429, `{"policyName":"DAILY"}`, map[string]string{"X-HubSpot-RateLimit-Interval-Milliseconds": "10000"}, dest.CallError{Class: dest.Throttled, Scope: dest.ScopeConnection, Quota: dest.QuotaDay, Code: "DAILY"}, "day"},
		"no body":             {429, ``, hour, dest.CallError{Class: dest.Throttled, Scope: dest.ScopeConnection, Quota: dest.QuotaSecond, Code: "429", After: time.Hour}, ""},
		"locked":              {423, body("LOCKED", "x"), nil, dest.CallError{Class: dest.Unavailable, Code: "423", After: 2 * time.Second}, "locked"},
		"locked for longer":   {423, ``, map[string]string{"Retry-After": "30"}, dest.CallError{Class: dest.Unavailable, Code: "423", After: 30 * time.Second}, ""},
		"moved":               {477, ``, hour, dest.CallError{Class: dest.Unavailable, Scope: dest.ScopeConnection, Code: "477", After: time.Hour}, "moving"},
		"moved for a day":     {477, ``, map[string]string{"Retry-After": "86400"}, dest.CallError{Class: dest.Unavailable, Scope: dest.ScopeConnection, Code: "477", After: 12 * time.Hour}, ""},
		"down":                {521, `<html>`, nil, dest.CallError{Class: dest.Unavailable, Received: true, Code: "521"}, ""},
		"too large":           {413, `<html>`, nil, dest.CallError{Class: dest.Refused, Code: "413"}, "too large"},
		"too long":            {414, ``, nil, dest.CallError{Class: dest.Refused, Code: "414"}, ""},
		"an unknown object":   {400, body("VALIDATION_ERROR", "Unable to infer object type from: foos"), nil, dest.CallError{Class: dest.Configuration, Scope: dest.ScopeVersion, Code: "VALIDATION_ERROR"}, "destination_object"},
		"not unique":          {400, body("VALIDATION_ERROR", "Unable to perform update/upsert by non-unique 0-2 property domain"), nil, dest.CallError{Class: dest.Configuration, Scope: dest.ScopeVersion, Code: "NOT_UNIQUE"}, "unique values"},
		"an unknown field":    {400, body("VALIDATION_ERROR", unknownProperty), nil, dest.CallError{Class: dest.Configuration, Scope: dest.ScopeVersion, Code: "PROPERTY_DOESNT_EXIST"}, "nope"},
		"a read-only field":   {400, body("VALIDATION_ERROR", "x", `,"errors":[{"message":"x","code":"READ_ONLY_VALUE","context":{"propertyName":["createdate"]}}]`), nil, dest.CallError{Class: dest.Configuration, Scope: dest.ScopeVersion, Code: "READ_ONLY_VALUE"}, "createdate"},
		"a value":             {400, body("VALIDATION_ERROR", option), nil, dest.CallError{Class: dest.Refused, Code: "INVALID_OPTION"}, "internal value"},
		"a conflict":          {409, body("CONFLICT", "Contact already exists. Existing ID: 101"), nil, dest.CallError{Class: dest.Refused, Code: "CONFLICT"}, ""},
		"too large a header":  {431, ``, nil, dest.CallError{Class: dest.Refused, Code: "431"}, ""},
		"nothing is said":     {400, `{}`, nil, dest.CallError{Class: dest.Configuration, Code: "400"}, "400"},
		"a gateway's words":   {415, `{"message":"Unsupported Media Type"}`, nil, dest.CallError{Class: dest.Configuration, Code: "415"}, "proxy"},
		"fields of any form":  {400, `{"status":7,"message":{"a":1},"category":["x"],"errors":"none","context":[1],"links":3}`, nil, dest.CallError{Class: dest.Configuration, Code: "400"}, ""},
		"a proxy":             {407, `{"category":"x"}`, nil, dest.CallError{Class: dest.Configuration, Code: "x"}, "proxy"},
		"a proxy's page":      {407, `<html>`, nil, dest.CallError{Class: dest.Configuration, Code: "407"}, "proxy"},
		"a timeout":           {408, `{}`, nil, dest.CallError{Class: dest.Unavailable, Received: true, Code: "408"}, ""},
		"an error that is OK": {200, body("VALIDATION_ERROR", option), nil, dest.CallError{Class: dest.Refused, Code: "INVALID_OPTION"}, ""},
	} {
		w := start(t, options(), byEmail)
		out, got := answered(t, w, three(), sandbox.Fault{Status: c.status, Body: c.body, Headers: c.header})
		if got == nil {
			t.Errorf("%s: outcomes %+v", name, out)
			continue
		}
		message := got.Message
		got.Op, got.Message = "", ""
		if d := cmp.Diff(c.want, *got); d != "" {
			t.Errorf("%s: want -, got +\n%s", name, d)
		}
		if message == "" || !strings.Contains(message, c.says) || strings.Contains(message, "enormous") || strings.Contains(message, "foos") {
			t.Errorf("%s: says %q, want %q", name, message, c.says)
		}
	}
}

// A refusal of the whole call that names records by their trace ids is these records';
// the others are sent again at once.
func TestNamedRefusal(t *testing.T) {
	const refusal = `{"status":"error","category":"VALIDATION_ERROR","message":"x","errors":[{"message":"x","code":"INVALID_EMAIL","context":{"objectWriteTraceId":["1"],"propertyName":["email"]}}]}`
	w := start(t, options(), byEmail)
	out, failed := answered(t, w, three(), sandbox.Fault{Status: 400, Body: refusal})
	if failed != nil || len(out) != 3 || out[0].Status != dest.Delivered || out[2].Status != dest.Delivered || w.sim.Count("contacts") != 2 {
		t.Fatalf("%+v, %v", out, failed)
	}
	if o := out[1]; o.Status != dest.Rejected || o.Code != "INVALID_EMAIL" || o.Field != "email" {
		t.Errorf("named: %+v", o)
	}
	// For ever, it ends.
	w = start(t, options(), byEmail)
	if out, failed := answered(t, w, three(), sandbox.Fault{Status: 400, Count: -1, Body: refusal}); failed == nil || failed.Class != dest.Refused {
		t.Errorf("%+v, %v", out, failed)
	}
}

// Every answer is accounted for by its body, whatever the status: results and errors are
// the inputs, or it is no answer.
func TestAccounts(t *testing.T) {
	ok := func(trace string) string {
		return `{"id":"9` + trace + `","objectWriteTraceId":"` + trace + `","new":true}`
	}
	for _, status := range []int{200, 201, 207, 202} {
		for name, c := range map[string]struct{ body, want string }{
			"all":                  {`{"status":"COMPLETE","results":[` + ok("2") + `,` + ok("0") + `,` + ok("1") + `]}`, "ddd"},
			"one error":            {`{"results":[` + ok("2") + `,` + ok("0") + `],"numErrors":1,"errors":[{"status":"error","category":"VALIDATION_ERROR","message":"x","context":{"objectWriteTraceId":["1"]}}]}`, "dRd"},
			"errors alone":         {`{"status":"COMPLETE","errors":[{"category":"CONFLICT","context":{"objectWriteTraceId":["0","1","2"]}}]}`, "RRR"},
			"one that names none":  {`{"results":[` + ok("0") + `,` + ok("1") + `],"errors":[{"category":"CONFLICT","message":"Contact already exists. Existing ID: 5"}]}`, "ddR"},
			"by the id":            {`{"results":[` + ok("0") + `,` + ok("1") + `],"errors":[{"category":"VALIDATION_ERROR","context":{"ids":["PERSON3@example.com"]}}]}`, "ddR"},
			"to be tried again":    {`{"results":[` + ok("0") + `,` + ok("1") + `],"errors":[{"category":"RATE_LIMITS","context":{"objectWriteTraceId":["2"]}}]}`, "ddr"},
			"without trace ids":    {`{"results":[{"id":"1","properties":{"email":"person2@example.com"}},{"id":"2","properties":{"email":"Person1@Example.com"}},{"id":"3","properties":{"email":"person3@example.com"}}]}`, "ddd"},
			"a result is missing":  {`{"status":"COMPLETE","results":[` + ok("0") + `,` + ok("1") + `]}`, "unreadable"},
			"no result":            {`{"status":"COMPLETE","results":[]}`, "unreadable"},
			"one twice":            {`{"results":[` + ok("0") + `,` + ok("1") + `,` + ok("1") + `]}`, "unreadable"},
			"somebody else's":      {`{"results":[` + ok("0") + `,` + ok("1") + `,` + ok("7") + `]}`, "unreadable"},
			"both":                 {`{"results":[` + ok("0") + `,` + ok("1") + `,` + ok("2") + `],"errors":[{"category":"CONFLICT","context":{"objectWriteTraceId":["1"]}}]}`, "unreadable"},
			"without an id":        {`{"results":[` + ok("0") + `,` + ok("1") + `,{"objectWriteTraceId":"2"}]}`, "unreadable"},
			"errors are no list":   {`{"results":[` + ok("0") + `],"errors":{"a":1}}`, "unreadable"},
			"pending":              {`{"status":"PENDING","results":[` + ok("0") + `,` + ok("1") + `,` + ok("2") + `]}`, "unreadable"},
			"canceled":             {`{"status":"CANCELED","results":[],"errors":[{"category":"CONFLICT","context":{"objectWriteTraceId":["0","1","2"]}}]}`, "unreadable"},
			"errors untold":        {`{"results":[` + ok("0") + `,` + ok("1") + `,` + ok("2") + `],"numErrors":1}`, "unreadable"},
			"an error untold":      {`{"results":[` + ok("0") + `,` + ok("1") + `],"numErrors":2,"errors":[{"category":"CONFLICT","context":{"objectWriteTraceId":["2"]}}]}`, "unreadable"},
			"one error for two":    {`{"results":[` + ok("0") + `],"numErrors":2,"errors":[{"category":"CONFLICT","context":{"objectWriteTraceId":["1","2"]}}]}`, "dRR"},
			"two that name nobody": {`{"results":[` + ok("0") + `],"errors":[{"category":"CONFLICT"},{"category":"VALIDATION_ERROR"}]}`, "refused"},
		} {
			w := start(t, options(), byEmail)
			out, failed := answered(t, w, three(), sandbox.Fault{Status: status, Body: c.body})
			got := ""
			for _, o := range out {
				got += map[dest.Status]string{dest.Delivered: "d", dest.Rejected: "R", dest.Retry: "r"}[o.Status]
			}
			switch {
			case failed != nil && failed.Class == dest.Unavailable && failed.Received:
				got = "unreadable"
			case failed != nil && failed.Class == dest.Refused:
				got = "refused"
			}
			if got != c.want {
				t.Errorf("%d, %s: %s, want %s (%v)", status, name, got, c.want, failed)
			}
		}
	}
}

// A row alone in a call that fails as a whole is judged as one of many.
func TestAlone(t *testing.T) {
	for name, c := range map[string]struct {
		status     int
		body, code string
	}{
		"a value":    {400, `{"category":"VALIDATION_ERROR","message":"Property values were not valid: [{\"error\":\"INVALID_DATE\",\"name\":\"ltv_usd\"}]"}`, "INVALID_DATE"},
		"a conflict": {409, `{"category":"CONFLICT","message":"Contact already exists. Existing ID: 101"}`, "CONFLICT"},
		"required":   {400, `{"category":"VALIDATION_ERROR","message":"Error creating CONTACT. Some required properties were not set.","context":{"properties":["tier"]}}`, "REQUIRED_PROPERTIES"},
		"identities": {414, `{"message":"too many"}`, "414"},
		"large":      {413, `{"message":"too large"}`, "413"},
	} {
		w := start(t, options(), byEmail)
		b := dest.Batch{Records: []dest.Record{contact(1)}}
		if c.code == "413" {
			b.Records[0].Fields = append(b.Records[0].Fields, dest.Field{Name: "lastname", Value: jsontext.Value(`"` + strings.Repeat("x", dest.SmallRequest) + `"`)})
		}
		out, failed := answered(t, w, b, sandbox.Fault{Status: c.status, Body: c.body})
		if failed != nil || out[0].Status != dest.Rejected || out[0].Code != c.code || out[0].Message == "" {
			t.Errorf("%s: %+v, %v", name, out, failed)
		}
		if c.code == "CONFLICT" && !strings.Contains(out[0].Message, "record 101") {
			t.Errorf("%s: %q", name, out[0].Message)
		}
		if c.code == "REQUIRED_PROPERTIES" && out[0].Field != "tier" {
			t.Errorf("%s: field %q", name, out[0].Field)
		}
	}
}

// What does not speak of a row is not the row's, though it is alone: it is found out whose it
// is. What is too large although nothing smaller can be sent is the version's.
func TestAloneAndNotToBlame(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   dest.CallError
	}{
		"nothing is said": {400, `{}`, dest.CallError{Class: dest.Configuration, Code: "400"}},
		"a proxy":         {407, `{"category":"x","message":"x"}`, dest.CallError{Class: dest.Configuration, Code: "x"}},
		"a timeout":       {408, `{"category":"x"}`, dest.CallError{Class: dest.Unavailable, Received: true, Code: "408"}},
		"too large":       {413, `{"category":"x"}`, dest.CallError{Class: dest.Refused, Scope: dest.ScopeVersion, Code: "x"}},
		"too long":        {414, `<html>`, dest.CallError{Class: dest.Refused, Scope: dest.ScopeVersion, Code: "414"}},
		"a header":        {431, `{}`, dest.CallError{Class: dest.Refused, Scope: dest.ScopeVersion, Code: "431"}},
	} {
		w := start(t, options(), byEmail)
		out, got := answered(t, w, dest.Batch{Records: []dest.Record{contact(1)}}, sandbox.Fault{Status: c.status, Body: c.body})
		if got == nil {
			t.Errorf("%s: %+v", name, out)
			continue
		}
		got.Op, got.Message = "", ""
		if d := cmp.Diff(c.want, *got); d != "" {
			t.Errorf("%s: want -, got +\n%s", name, d)
		}
	}
}

// A locked record waits by itself where it is alone; what HubSpot refuses under a correlation
// id is its own word, and the row's, though it names no category.
func TestAloneAndToBlame(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   dest.Outcome
	}{
		"a lock":      {423, `{"category":"LOCKED"}`, dest.Outcome{Status: dest.Retry, After: 2 * time.Second, Code: "423"}},
		"a plain 400": {400, `{"status":"error","message":"Invalid input JSON on line 1","correlationId":"9f"}`, dest.Outcome{Status: dest.Rejected, Code: "400"}},
	} {
		w := start(t, options(), byEmail)
		out, failed := answered(t, w, dest.Batch{Records: []dest.Record{contact(1)}}, sandbox.Fault{Status: c.status, Body: c.body})
		if failed != nil {
			t.Errorf("%s: %v", name, failed)
			continue
		}
		out[0].Message = ""
		if d := cmp.Diff(c.want, out[0]); d != "" {
			t.Errorf("%s: want -, got +\n%s", name, d)
		}
	}
}

// A value that is quoted is not what the vendor says: its words halt no version, ask for no
// property and name no record.
func TestVendorsWordsInValues(t *testing.T) {
	quoting := func(value string) string {
		return `Property values were not valid: [{\"isValid\":false,\"message\":\"` + value + ` was not one of the allowed options\",\"error\":\"INVALID_OPTION\",\"name\":\"ltv_segment\"}]`
	}
	for _, value := range []string{
		"non-unique visitor", "Unable to perform update/upsert by non-unique 0-2 property domain", "Some required properties were not set",
		"Unable to infer object type", "Existing ID: 4711",
	} {
		for category, message := range map[string]string{"VALIDATION_ERROR": quoting(value), "CONFLICT": value + " is there. Existing ID: 4711", "INVALID_EMAIL": `no address: [{\"error\":\"READ_ONLY_VALUE\",\"name\":\"tier\"}], ` + value} {
			want := category
			if category == "VALIDATION_ERROR" {
				want = "INVALID_OPTION"
			}
			if category != "VALIDATION_ERROR" {
				message = "The value " + message
			}
			for n, b := range map[string]dest.Batch{"alone": {Records: []dest.Record{contact(1)}}, "of three": three()} {
				w := start(t, options(), byEmail)
				out, failed := answered(t, w, b, sandbox.Fault{Status: 400, Body: `{"status":"error","category":"` + category + `","message":"` + message + `"}`})
				switch {
				case n == "alone" && (failed != nil || out[0].Status != dest.Rejected || out[0].Scope != dest.ScopeUntold || out[0].Code != want || strings.Contains(out[0].Message, "4711")):
					t.Errorf("%s, %s: %+v, %v", message, n, out, failed)
				case n == "of three" && (failed == nil || failed.Class != dest.Refused || failed.Scope != dest.ScopeUntold || failed.Code != want):
					t.Errorf("%s, %s: %+v", message, n, failed)
				}
			}
		}
	}
}

// An insert whose answer does not account for it may have arrived, and is not made again
// without a look.
func TestInsertIsNotDoubled(t *testing.T) {
	w := start(t, options(), matching(syncdef.Insert, "email"))
	for _, body := range []string{`{"status":"COMPLETE","results":[]}`, `{"results":[],"errors":[{"category":"CONFLICT"},{"category":"CONFLICT"}]}`} {
		if _, failed := answered(t, w, three(), sandbox.Fault{Status: http.StatusCreated, Body: body}); failed == nil || !failed.Received {
			t.Errorf("%s: %v", body, failed)
		}
	}
}

// A token that was replaced is read anew once; a record that is gone is matched anew, or
// told where the row names it itself.
func TestGoneAndRenewed(t *testing.T) {
	w := start(t, options(), byEmail)
	r := contact(1)
	r.ID = "1999999" // remembered, and archived since
	b := dest.Batch{Records: []dest.Record{r, contact(2)}}
	for _, c := range w.Calls(b, 0) {
		out, err := w.Push(t.Context(), b, c)
		if err != nil {
			t.Fatal(err)
		}
		if c.Records[0] == 0 && (out[0].Status != dest.Found || out[0].ID != "") || c.Records[0] == 1 && out[0].Status != dest.Delivered {
			t.Errorf("%+v", out)
		}
	}
	w = start(t, options(), matching(syncdef.Update, "hs_object_id"))
	b = dest.Batch{Records: []dest.Record{{Key: "1999999", Fields: contact(1).Fields}}}
	out, err := w.Push(t.Context(), b, w.Calls(b, 0)[0])
	if err != nil || out[0].Status != dest.Rejected || out[0].Code != "no_match" || strings.Contains(out[0].Message, "1999999") {
		t.Errorf("%+v, %v", out, err)
	}
}

// What an answer to an insert names is settled, whatever it does not account for: of a record
// that is left it is not known whether it was made, or it is refused where as many errors as
// records say no more than that.
func TestInsertSettlesWhatIsNamed(t *testing.T) {
	first := `{"status":"COMPLETE","results":[{"id":"1","objectWriteTraceId":"0"}]`
	conflict, option, locked := `{"category":"CONFLICT","message":"Contact already exists. Existing ID: 9"}`, `{"category":"VALIDATION_ERROR","errors":[{"code":"INVALID_OPTION","in":"ltv_segment"}]}`, `{"category":"LOCKED"}`
	for name, c := range map[string]struct{ body, want string }{
		"two are left out":       {first + `}`, "d ? ?"},
		"one error of two":       {first + `,"errors":[` + conflict + `]}`, "d ? ?"},
		"an error that is named": {first + `,"errors":[{"category":"CONFLICT","context":{"objectWriteTraceId":["1"]}}]}`, "d CONFLICT ?"},
		"two errors":             {first + `,"errors":[` + conflict + `,` + conflict + `]}`, "d CONFLICT CONFLICT"},
		"two errors of a field":  {first + `,"errors":[` + option + `,` + option + `]}`, "d INVALID_OPTION INVALID_OPTION"},
		"two kinds":              {first + `,"errors":[` + conflict + `,` + option + `]}`, "d unnamed_errors unnamed_errors"},
		"one may pass":           {first + `,"errors":[` + conflict + `,` + locked + `]}`, "d (unnamed_errors) (unnamed_errors)"},
		"both may pass":          {first + `,"errors":[` + locked + `,` + locked + `]}`, "d (LOCKED) (LOCKED)"},
		"of all":                 {`{"results":[],"errors":[` + conflict + `,` + conflict + `,` + conflict + `]}`, "CONFLICT CONFLICT CONFLICT"},
		"untold errors":          {first + `,"numErrors":3,"errors":[` + conflict + `,` + conflict + `]}`, "d ? ?"},
		"no list of errors":      {first + `,"errors":"x"}`, "d ? ?"},
		"not done":               {strings.Replace(first, "COMPLETE", "PENDING", 1) + `}`, "d ? ?"},
		"one was not asked for":  {strings.Replace(first, `"0"`, `"7"`, 1) + `}`, "failed"},
	} {
		w := start(t, options(), matching(syncdef.Insert, "email"))
		out, failed := answered(t, w, three(), sandbox.Fault{Status: http.StatusMultiStatus, Body: c.body})
		var got []string
		if failed != nil && failed.Received {
			got = []string{"failed"}
		}
		for _, o := range out {
			switch o.Status {
			case dest.Delivered:
				got = append(got, "d")
			case dest.Unknown:
				got = append(got, "?")
			case dest.Retry:
				got = append(got, "("+o.Code+")")
			case dest.Rejected:
				got = append(got, o.Code)
			}
			if o.Field != "" || strings.Contains(o.Message, "9") || o.Status != dest.Delivered && o.Message == "" {
				t.Errorf("%s: %+v", name, o)
			}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: %s, want %s (%+v, %v)", name, s, c.want, out, failed)
		}
	}
}
