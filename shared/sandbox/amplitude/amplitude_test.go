package amplitude_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/sandbox/amplitude"
)

type world struct {
	t   *testing.T
	s   *amplitude.Server
	now time.Time
}

func newWorld(t *testing.T, cfg amplitude.Config) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)}
	cfg.APIKey, cfg.Now = "key", func() time.Time { return w.now }
	s, err := amplitude.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.s = s
	return w
}

func (w *world) ask(method, path, kind, body string) (int, string) {
	r := httptest.NewRequest(method, "http://127.0.0.1"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	rec := httptest.NewRecorder()
	w.s.ServeHTTP(rec, r)
	return rec.Code, strings.TrimSpace(rec.Body.String())
}

// upload sends events, which are JSON, to a path.
func (w *world) upload(path string, events ...string) (int, string) {
	return w.ask("POST", path, "application/json", `{"api_key":"key","events":[`+strings.Join(events, ",")+`]}`)
}

// properties are a user's, as one JSON object.
func (w *world) properties(id string) string {
	u := w.s.User(id)
	if u == nil {
		return ""
	}
	b, err := json.Marshal(u.Properties)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(b)
}

func identify(id, properties string) string {
	return fmt.Sprintf(`{"event_type":"$identify","user_id":%q,"user_properties":%s}`, id, properties)
}

func groupIdentify(kind, properties string) string {
	return fmt.Sprintf(`{"event_type":"$groupidentify","user_id":"user-1","groups":{%q:"Acme"},"group_properties":%s}`, kind, properties)
}

// A project has five types of groups, and an event ten groups.
func TestGroups(t *testing.T) {
	file := filepath.Join(t.TempDir(), "journal")
	w := newWorld(t, amplitude.Config{Journal: file})
	ten := `{"event_type":"a","user_id":"user-1","groups":{"one":["1","2","3","4","5","6","7","8","9","10"]}}`
	for _, e := range []string{ten, groupIdentify("two", `{"$set":{"a":1}}`), groupIdentify("three", `{"$append":{"a":1}}`), groupIdentify("four", `{"$unset":{"a":"-"}}`), groupIdentify("five", `{"$prepend":{"a":1}}`), groupIdentify("two", `{"$add":{"a":1}}`)} {
		if status, body := w.upload("/batch", e); status != 200 {
			t.Fatalf("%s: %d %s", e, status, body)
		}
	}
	sixth := url.Values{"api_key": {"key"}, "identification": {`{"group_type":"six","group_value":"Acme","group_properties":{"$set":{"a":1}}}`}}.Encode()
	if status, body := w.upload("/batch", groupIdentify("six", `{"$set":{"a":1}}`)); status != 400 || !strings.Contains(body, `{"groups":[0]}`) {
		t.Errorf("a sixth: %d %s", status, body)
	}
	if status, body := w.ask("POST", "/groupidentify", "application/x-www-form-urlencoded", sixth); status != 400 {
		t.Errorf("a sixth: %d %s", status, body)
	}
	if err := w.s.Close(); err != nil {
		t.Fatal(err)
	}
	again := newWorld(t, amplitude.Config{Journal: file})
	for _, c := range []struct {
		kind   string
		status int
	}{{"two", 200}, {"six", 200}, {"seven", 400}} { // nothing is kept of "one", which only an event named
		if status, body := again.upload("/batch", groupIdentify(c.kind, `{"$set":{"a":1}}`)); status != c.status {
			t.Errorf("%s, after a restart: %d %s", c.kind, status, body)
		}
	}
}

func TestRequests(t *testing.T) {
	w := newWorld(t, amplitude.Config{})
	const typeJSON = "application/json; charset=utf-8"
	for name, c := range map[string]struct {
		method, path, kind, body string
		status                   int
		says                     string
	}{
		"another path":   {"POST", "/3/events", typeJSON, `{}`, 400, "Invalid request path"},
		"read":           {"GET", "/batch", typeJSON, ``, 400, "Invalid request path"},
		"no body":        {"POST", "/batch", typeJSON, ``, 400, "Missing request body"},
		"no JSON":        {"POST", "/batch", typeJSON, `{`, 400, "Invalid JSON request body"},
		"a form":         {"POST", "/batch", "application/x-www-form-urlencoded", `{}`, 400, "Invalid JSON request body"},
		"no key":         {"POST", "/batch", typeJSON, `{"events":[{}]}`, 400, `"missing_field":"api_key"`},
		"another key":    {"POST", "/batch", typeJSON, `{"api_key":"k","events":[{}]}`, 400, "Invalid API key: k"},
		"no events":      {"POST", "/batch", typeJSON, `{"api_key":"key","events":[]}`, 400, `"missing_field":"events"`},
		"no object":      {"POST", "/batch", typeJSON, `{"api_key":"key","events":[1]}`, 400, "Invalid event JSON"},
		"too many":       {"POST", "/batch", typeJSON, `{"api_key":"key","events":[{}` + strings.Repeat(",{}", 2000) + `]}`, 413, "Payload too large"},
		"under 2,000":    {"POST", "/2/httpapi", typeJSON, `{"api_key":"key","events":[{}` + strings.Repeat(",{}", 1999) + `]}`, 413, "Payload too large"},
		"1,999":          {"POST", "/2/httpapi", typeJSON, `{"api_key":"key","events":[{}` + strings.Repeat(",{}", 1998) + `]}`, 400, "events_with_missing_fields"},
		"behind it":      {"POST", "/batch", typeJSON, `{"api_key":"key","events":[{"event_type":"a","user_id":"user-9"}]}{}`, 400, "Invalid JSON request body"},
		"too large":      {"POST", "/2/httpapi", typeJSON, `{"api_key":"key","events":[{"x":"` + strings.Repeat("x", 1<<20) + `"}]}`, 413, "Payload too large"},
		"not for batch":  {"POST", "/batch", typeJSON, `{"api_key":"key","events":[{"event_type":"a","user_id":"user-9","x":"` + strings.Repeat("x", 1<<20) + `"}]}`, 200, `"events_ingested":1`},
		"identify, JSON": {"POST", "/identify", typeJSON, `{}`, 400, ""},
	} {
		status, body := w.ask(c.method, c.path, c.kind, c.body)
		if status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}

func TestEventsAreJudged(t *testing.T) {
	w := newWorld(t, amplitude.Config{})
	good := identify("user-1", `{"$set":{"a":1}}`)
	for name, c := range map[string]struct{ event, says string }{
		"short id":         {identify("1234", `{"$set":{"a":1}}`), `"events_with_invalid_id_lengths":{"user_id":[1]}`},
		"short device":     {`{"event_type":"a","user_id":"user-1","device_id":"d"}`, `"events_with_invalid_id_lengths":{"device_id":[1]}`},
		"placeholder":      {identify("Anonymous", `{"$set":{"a":1}}`), `"events_with_invalid_fields":{"user_id":[1]}`},
		"nobody":           {`{"event_type":"a"}`, `"events_with_missing_fields":{"user_id":[1]}`},
		"no type":          {`{"user_id":"user-1"}`, `"events_with_missing_fields":{"event_type":[1]}`},
		"time as text":     {`{"event_type":"a","user_id":"user-1","time":"2026-05-04"}`, `{"time":[1]}`},
		"time of a float":  {`{"event_type":"a","user_id":"user-1","time":1.5}`, `{"time":[1]}`},
		"no properties":    {`{"event_type":"$identify","user_id":"user-1"}`, `"events_with_missing_fields":{"user_properties":[1]}`},
		"operations mixed": {identify("user-1", `{"$set":{"a":1},"b":2}`), `{"user_properties":[1]}`},
		"unknown one":      {identify("user-1", `{"$replace":{"a":1}}`), `{"user_properties":[1]}`},
		"null is set":      {identify("user-1", `{"$set":{"a":null}}`), `{"user_properties":[1]}`},
		"add a text":       {identify("user-1", `{"$add":{"a":"1"}}`), `{"user_properties":[1]}`},
		"set a text":       {identify("user-1", `{"$set":"a"}`), `{"user_properties":[1]}`},
		"too deep":         {identify("user-1", `{"$set":{"a":`+strings.Repeat("[", 41)+strings.Repeat("]", 41)+`}}`), `{"user_properties":[1]}`},
		"plain names":      {identify("user-1", `{"a":1}`), `{"user_properties":[1]}`},
		"plain null":       {`{"event_type":"a","user_id":"user-1","user_properties":{"a":null}}`, `{"user_properties":[1]}`},
		"eleven groups":    {`{"event_type":"a","user_id":"user-1","groups":{"team":["1","2","3","4","5","6"],"org":["1","2","3","4","5"]}}`, `{"groups":[1]}`},
		"six types":        {`{"event_type":"a","user_id":"user-1","groups":{"a":"x","b":"x","c":"x","d":"x","e":"x","f":"x"}}`, `{"groups":[1]}`},
		"a group's number": {`{"event_type":"a","user_id":"user-1","groups":{"a":1}}`, `{"groups":[1]}`},
		"pre-inserted":     {groupIdentify("company", `{"$preInsert":{"a":1}}`), `{"group_properties":[1]}`},
		"post-inserted":    {groupIdentify("company", `{"$postInsert":{"a":1}}`), `{"group_properties":[1]}`},
		"removed":          {groupIdentify("company", `{"$remove":{"a":1}}`), `{"group_properties":[1]}`},
		"a plain group":    {groupIdentify("company", `{"a":1}`), `{"group_properties":[1]}`},
		"no group":         {`{"event_type":"$groupidentify","user_id":"user-1","group_properties":{"$set":{"a":1}}}`, `{"groups":[1]}`},
	} {
		if status, body := w.upload("/batch", good, c.event); status != 400 || !strings.Contains(body, c.says) {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	if w.s.Count() != 0 || w.s.Events() != 0 {
		t.Errorf("%d users: a request is taken whole or not at all", w.s.Count())
	}
	// HTTP V2 names the first one only.
	bad := `{"event_type":"a","user_id":"user-1","time":"x"}`
	if _, body := w.upload("/2/httpapi", good, bad, bad); !strings.Contains(body, `{"time":[1]}`) {
		t.Error(body)
	}
	if _, body := w.upload("/batch", good, bad, bad); !strings.Contains(body, `{"time":[1,2]}`) {
		t.Error(body)
	}
}

func TestOperations(t *testing.T) {
	w := newWorld(t, amplitude.Config{})
	for _, c := range []struct{ properties, want string }{
		{`{"$set":{"a":1,"b":"x","o":{"k":[1]}},"$setOnce":{"c":1}}`, `{"a":1,"b":"x","c":1,"o":{"k":[1]}}`},
		{`{"$setOnce":{"c":2,"a":9},"$unset":{"o":"-"}}`, `{"a":1,"b":"x","c":1}`},
		{`{"$add":{"a":1.5,"n":2},"$append":{"b":"y"},"$prepend":{"l":["p"]}}`, `{"a":2.5,"b":["x","y"],"c":1,"l":["p"],"n":2}`},
		{`{"$postInsert":{"b":["y","z"]},"$preInsert":{"b":"w"},"$remove":{"b":"x"},"$unset":{"a":"-","l":"-","n":"-"}}`, `{"b":["w","y","z"],"c":1}`},
		{`{"plain":true}`, `{"b":["w","y","z"],"c":1,"plain":true}`},
	} {
		e := identify("user-1", c.properties)
		if strings.Contains(e, "plain") { // beside operations in a plain event alone
			e = strings.Replace(e, "$identify", "a", 1)
		}
		if status, body := w.upload("/batch", e); status != 200 {
			t.Fatalf("%d %s", status, body)
		}
		if d := cmp.Diff(c.want, w.properties("user-1")); d != "" {
			t.Errorf("%s: %s", c.properties, d)
		}
	}
}

// What Amplitude loses is answered with 200, and lost.
func TestSilence(t *testing.T) {
	w := newWorld(t, amplitude.Config{PerHour: 2})
	long := identify("user-1", `{"$set":{"a":"`+strings.Repeat("x", 2000)+`","b":["`+strings.Repeat("y", 2000)+`"]}}`)
	once := `{"event_type":"$identify","user_id":"user-1","insert_id":"i","user_properties":{"$add":{"n":1}}}`
	number := `{"event_type":"$identify","user_id":123456,"user_properties":{"$set":{"a":1}}}`
	for _, e := range []string{long, once, once, number, identify("user-1", `{"$set":{"late":1}}`)} {
		if status, body := w.upload("/batch", e); status != 200 || !strings.Contains(body, `"events_ingested":1`) {
			t.Fatalf("%d %s", status, body)
		}
	}
	want := `{"a":"` + strings.Repeat("x", 1024) + `","b":["` + strings.Repeat("y", 1024) + `"],"n":1}`
	if d := cmp.Diff(want, w.properties("user-1")); d != "" || w.s.Count() != 1 {
		t.Errorf("%d users: %s", w.s.Count(), d)
	}
	w.now = w.now.Add(8 * 24 * time.Hour) // then the insert id is forgotten
	if w.upload("/batch", once); !strings.Contains(w.properties("user-1"), `"n":2`) {
		t.Error(w.properties("user-1"))
	}
	var wide []string
	for i := range 1100 {
		wide = append(wide, fmt.Sprintf(`"p%04d":1`, i))
	}
	w.upload("/batch", identify("user-2", `{"$set":{`+strings.Join(wide, ",")+`}}`))
	if n := len(w.s.User("user-2").Properties); n < 900 || n > 1000 {
		t.Errorf("%d properties are kept", n)
	}
}

func TestThrottles(t *testing.T) {
	w := newWorld(t, amplitude.Config{PerSecond: 1, PerDay: 40})
	e := `{"event_type":"a","user_id":"user-1","device_id":"device-1"}`
	other := `{"event_type":"a","user_id":"user-2"}`
	for i := range 30 {
		if status, body := w.upload("/batch", e); status != 200 {
			t.Fatalf("%d: %d %s", i, status, body)
		}
	}
	status, body := w.upload("/batch", other, e)
	if status != 429 || !strings.Contains(body, `"throttled_users":{"user-1":`) || !strings.Contains(body, `"throttled_devices":{"device-1":`) || !strings.Contains(body, `"throttled_events":[1`) || w.s.User("user-2") != nil {
		t.Errorf("%d %s", status, body)
	}
	w.now = w.now.Add(30 * time.Second)
	for range 10 {
		w.upload("/batch", e)
	}
	if status, body := w.upload("/batch", e); status != 429 || !strings.Contains(body, `"exceeded_daily_quota_users":{"user-1":41}`) {
		t.Errorf("%d %s", status, body)
	}
	w.now = w.now.Add(24 * time.Hour)
	if status, body := w.upload("/batch", e); status != 200 {
		t.Errorf("%d %s", status, body)
	}
}

// many are n properties.
func many(name string, n int) string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf(`"%s%d":1`, name, i))
	}
	return strings.Join(out, ",")
}

func TestForms(t *testing.T) {
	w := newWorld(t, amplitude.Config{})
	form := func(path, key, identification string) (int, string) {
		return w.ask("POST", path, "application/x-www-form-urlencoded", url.Values{"api_key": {key}, "identification": {identification}}.Encode())
	}
	if status, body := form("/identify", "key", `[{"user_id":"user-1","user_properties":{"a":1}},{"user_id":"user-2","user_properties":{"$set":{"b":2}}}]`); status != 200 || body != "success" {
		t.Errorf("%d %s", status, body)
	}
	if status, body := form("/groupidentify", "key", `{"group_type":"company","group_value":"Acme","group_properties":{"$set":{"plan":"x"}}}`); status != 200 || body != "success" {
		t.Errorf("%d %s", status, body)
	}
	for _, c := range [][3]string{
		{"/identify", "k", `{}`}, {"/identify", "key", `x`}, {"/identify", "key", `[]`}, {"/identify", "key", `[null]`},
		{"/identify", "key", `[{"user_id":"user-3","user_properties":{"a":1}},{"user_id":"x","user_properties":{"a":1}}]`},
		{"/groupidentify", "key", `{"group_type":"company","group_properties":{"a":1}}`},
		{"/groupidentify", "key", `{"group_type":"company","group_value":"Acme","group_properties":{"$remove":{"a":1}}}`},
		{"/groupidentify", "key", `[{"group_type":"company","group_value":"Acme","group_properties":{` + many("a", 1000) + `}},{"group_type":"company","group_value":"B","group_properties":{` + many("b", 25) + `}}]`},
		{"/identify", "key", `[{"user_id":"user-3","user_properties":{"a":1}}],[]`},
	} {
		if status, body := form(c[0], c[1], c[2]); status != 400 {
			t.Errorf("%v: %d %s", c, status, body)
		}
	}
	if status, _ := w.ask("GET", "/identify?api_key=key&identification="+strings.Repeat("x", 9000), "", ""); status != 414 {
		t.Errorf("a long query: %d", status)
	}
	if status, body := w.ask("GET", "/_sandbox/records", "", ""); status != 200 || !strings.Contains(body, `{"group_type":"company","group_value":"Acme","group_properties":{"plan":"x"}}`) || w.s.Count() != 2 {
		t.Errorf("%d %s", status, body)
	}
}

// A killed project has all that it answered.
func TestJournal(t *testing.T) {
	file := filepath.Join(t.TempDir(), "journal")
	w := newWorld(t, amplitude.Config{Journal: file})
	e := `{"event_type":"$identify","user_id":"user-1","insert_id":"i","user_properties":{"$add":{"n":1}}}`
	if status, body := w.upload("/batch", e); status != http.StatusOK {
		t.Fatal(body)
	}
	if err := w.s.Close(); err != nil {
		t.Fatal(err)
	}
	again := newWorld(t, amplitude.Config{Journal: file})
	again.upload("/batch", e)
	if got := again.properties("user-1"); got != `{"n":1}` {
		t.Errorf("the project holds %s", got)
	}
	if err := again.s.Close(); err != nil {
		t.Fatal(err)
	}
}
