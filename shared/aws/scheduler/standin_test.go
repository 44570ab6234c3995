package scheduler

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// A standIn is the Scheduler API by its reference: it checks every field, keeps client
// tokens, replaces all fields with an update, and lists two entries a page.
type standIn struct {
	t       *testing.T
	now     time.Time
	entries map[string]map[string]any
	tokens  map[string]string // token -> the request that it came with
	calls   []string          // the writes
	lose    int               // so many answers of writes are lost
}

var (
	nameOf   = regexp.MustCompile(`^[0-9a-zA-Z-_.]{1,64}$`)
	tokenOf  = regexp.MustCompile(`^[a-zA-Z0-9-_]{1,64}$`)
	rateOf   = regexp.MustCompile(`^rate\((1 (minute|hour|day)|([2-9]|[1-9][0-9]+) (minutes|hours|days))\)$`)
	cronOf   = regexp.MustCompile(`^cron\([0-9A-Z*,/?-]+( [0-9A-Z*,/?-]+){4} \*\)$`)
	arnOf    = regexp.MustCompile(`^arn:aws:(lambda|iam|sqs):[a-z0-9-]*:[0-9]{12}:.+$`)
	groupURL = "penstock"
)

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.Contains(r.Header.Get("Authorization"), "/eu-central-1/scheduler/aws4_request") {
		s.fail(w, 403, "AccessDeniedException", "not signed")
		return
	}
	name, one := strings.CutPrefix(r.URL.Path, "/schedules/")
	q := r.URL.Query()
	switch {
	case !one && r.Method == http.MethodGet:
		s.list(w, q.Get("ScheduleGroup"), q.Get("NextToken"))
	case r.Method == http.MethodGet || r.Method == http.MethodDelete:
		e := s.entries[name]
		switch {
		case q.Get("groupName") != groupURL || e == nil:
			s.fail(w, 404, "ResourceNotFoundException", "Schedule "+name+" does not exist.")
		case r.Method == http.MethodGet:
			_ = json.NewEncoder(w).Encode(e)
		case s.wrote(w, q.Get("clientToken"), "delete "+name):
			delete(s.entries, name)
			s.answer(w, `{}`)
		}
	default:
		s.put(w, r, name)
	}
}

func (s *standIn) list(w http.ResponseWriter, group, after string) {
	if group != groupURL {
		s.fail(w, 404, "ResourceNotFoundException", "Schedule group does not exist.")
		return
	}
	var names []string
	for name := range s.entries {
		if name > after {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	page := map[string]any{}
	if len(names) > 2 {
		names = names[:2]
		page["NextToken"] = names[1]
	}
	list := []any{}
	for _, name := range names {
		list = append(list, map[string]any{"Name": name, "GroupName": group, "State": s.entries[name]["State"]})
	}
	page["Schedules"] = list
	_ = json.NewEncoder(w).Encode(page)
}

// put is CreateSchedule (POST) and UpdateSchedule (PUT).
func (s *standIn) put(w http.ResponseWriter, r *http.Request, name string) {
	var in map[string]any
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		s.fail(w, 400, "ValidationException", "no JSON")
		return
	}
	if why := s.wrong(name, in); why != "" {
		s.t.Logf("%s: %s: %v", name, why, in)
		s.fail(w, 400, "ValidationException", why)
		return
	}
	token, _ := in["ClientToken"].(string)
	delete(in, "ClientToken")
	text, _ := json.Marshal(in)
	_, exists := s.entries[name]
	known := s.tokens[token] == r.Method+" "+name+" "+string(text)
	switch {
	case r.Method == http.MethodPut && !exists:
		s.fail(w, 404, "ResourceNotFoundException", "Schedule "+name+" does not exist.")
		return
	case r.Method == http.MethodPost && exists && !known:
		s.fail(w, 409, "ConflictException", "Schedule "+name+" already exists.")
		return
	}
	if !s.wrote(w, token, r.Method+" "+name+" "+string(text)) {
		return
	}
	s.now = s.now.Add(time.Second)
	in["Name"], in["LastModificationDate"] = name, s.now.Unix()
	if in["State"] == nil {
		in["State"] = "ENABLED"
	}
	s.entries[name] = in
	s.answer(w, `{"ScheduleArn":"arn:aws:scheduler:eu-central-1:123456789012:schedule/penstock/`+name+`"}`)
}

// wrote keeps the token of a write, and reports whether it is to be done: one that was
// done is answered as the first time.
func (s *standIn) wrote(w http.ResponseWriter, token, request string) bool {
	before, used := s.tokens[token]
	switch {
	case !tokenOf.MatchString(token):
		s.fail(w, 400, "ValidationException", "ClientToken")
		return false
	case used && before == request:
		s.answer(w, `{"ScheduleArn":"arn"}`)
		return false
	case used:
		s.fail(w, 409, "ConflictException", "the token was used for another request")
		return false
	}
	s.tokens[token] = request
	verb, rest, _ := strings.Cut(request, " ")
	name, _, _ := strings.Cut(rest, " ")
	s.calls = append(s.calls, map[string]string{"POST": "create", "PUT": "update", "delete": "delete"}[verb]+" "+name)
	return true
}

func (s *standIn) answer(w http.ResponseWriter, text string) {
	if s.lose > 0 { // the effect is there, and the answer is not
		s.lose--
		s.fail(w, 500, "InternalServerException", "lost")
		return
	}
	fmt.Fprint(w, text)
}

// wrong says what the API would refuse; "" for nothing.
func (s *standIn) wrong(name string, in map[string]any) string {
	object := func(o map[string]any, key string) map[string]any { m, _ := o[key].(map[string]any); return m }
	window, target := object(in, "FlexibleTimeWindow"), object(in, "Target")
	minutes, flexible := window["MaximumWindowInMinutes"].(float64)
	retry := object(target, "RetryPolicy")
	age, _ := retry["MaximumEventAgeInSeconds"].(float64)
	attempts, _ := retry["MaximumRetryAttempts"].(float64)
	expression, _ := in["ScheduleExpression"].(string)
	zone, _ := in["ScheduleExpressionTimezone"].(string)
	input, _ := target["Input"].(string)
	arn := func(o map[string]any, key string) bool { text, _ := o[key].(string); return arnOf.MatchString(text) }
	cron := strings.Fields(strings.TrimSuffix(strings.TrimPrefix(expression, "cron("), ")"))
	_, badZone := time.LoadLocation(zone)
	switch {
	case !nameOf.MatchString(name):
		return "Name"
	case in["GroupName"] != groupURL:
		return "GroupName"
	case !rateOf.MatchString(expression) && (!cronOf.MatchString(expression) || (cron[2] == "?") == (cron[4] == "?")) || len(expression) > 256:
		return "Invalid Schedule Expression " + expression
	case badZone != nil || zone == "":
		return "Invalid ScheduleExpressionTimezone"
	case window["Mode"] == "OFF" && flexible, window["Mode"] == "FLEXIBLE" && (minutes < 1 || minutes > 1440 || minutes != float64(int(minutes))), window["Mode"] != "OFF" && window["Mode"] != "FLEXIBLE":
		return "FlexibleTimeWindow"
	case !arn(target, "Arn") || !arn(target, "RoleArn") || !arn(object(target, "DeadLetterConfig"), "Arn"):
		return "Target"
	case age < 60 || age > 86400 || attempts < 0 || attempts > 185:
		return "RetryPolicy"
	case !json.Valid([]byte(input)) || !strings.Contains(input, "<aws.scheduler.scheduled-time>"):
		return "Input"
	}
	if start, given := in["StartDate"].(float64); given && time.Unix(int64(start), 0).Before(s.now.Add(-5*time.Minute)) {
		return "The StartDate you specify cannot be earlier than 5 minutes ago."
	}
	return ""
}

func (s *standIn) fail(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("X-Amzn-Errortype", code)
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"Message":%q}`, message)
}

var noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

func open(t *testing.T) (*standIn, *Store) {
	t.Helper()
	s := &standIn{t: t, now: noon, entries: map[string]map[string]any{}, tokens: map[string]string{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	cfg := aws.Config{Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("AKID", "secret", ""), BaseEndpoint: &server.URL, HTTPClient: server.Client(),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} }}
	return s, New(cfg, Config{Group: "penstock", Function: "arn:aws:lambda:eu-central-1:123456789012:function:penstock-schedule",
		Role: "arn:aws:iam::123456789012:role/penstock-ScheduleCaller", DeadLetters: "arn:aws:sqs:eu-central-1:123456789012:penstock-schedule-dlq"})
}
