package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/app/apptest"
	"github.com/penstock-data/penstock/shared/app/remote"
	"github.com/penstock-data/penstock/shared/app/worker"
	"github.com/penstock-data/penstock/shared/aws"
	"github.com/penstock-data/penstock/shared/aws/awstest"
	awserrors "github.com/penstock-data/penstock/shared/aws/errors"
	"github.com/penstock-data/penstock/shared/aws/ledger"
	"github.com/penstock-data/penstock/shared/aws/queue"
	"github.com/penstock-data/penstock/shared/aws/state"
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/salesforce"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/pipeline/intake"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/sandbox/mail"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A stackWorld is the stack prod: its tables and queue on the servers that the adapters
// are tested against, stand-ins for CloudFormation, Secrets Manager and SES, the simulated
// vendors, an intake and a worker as the stack has them, and the command line over it with
// a person's credentials.
type stackWorld struct {
	*testing.T
	table   *state.Store
	queue   *queue.Queue
	in      *intake.Intake
	control *runs.Control // as the stack's own function has it
	worker  *deliver.Deliver
	vendors *apptest.Vendors
	box     *mail.Mailbox
	hooks   chan string // bodies that the webhook got
	outputs map[string]string
	servers map[string]*httputil.ReverseProxy // by what X-Amz-Target begins with

	mu      sync.Mutex
	secrets map[string]string // of the stack
	needed  map[string]bool   // that what was called needs
	denied  string            // an action that the person may not do; "" none

	schedules map[string][]byte // by name, as they were created
}

// dueErrors are stored in two tables, as a worker stores them.
type dueErrors struct {
	*awserrors.Store
	state *state.Store
}

func (d dueErrors) StoreDue(ctx context.Context, due []run.Due) error {
	return d.state.StoreDue(ctx, due)
}

// newStackWorld makes it, with these files applied.
func newStackWorld(t *testing.T, files map[string]string) *stackWorld {
	t.Helper()
	servers := map[string]*httputil.ReverseProxy{}
	for name, prefix := range map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": "DynamoDB", "AWS_ENDPOINT_URL_SQS": "AmazonSQS"} {
		if address, err := url.Parse(os.Getenv(name)); err == nil && address.Host != "" {
			servers[prefix] = httputil.NewSingleHostReverseProxy(address)
			continue
		}
		why := name + ` is not set: run: .ci/servers start && eval "$(.ci/servers env)"`
		if os.Getenv("PENSTOCK_REQUIRE_SERVERS") == "1" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	w := &stackWorld{T: t, servers: servers, secrets: map[string]string{}, needed: map[string]bool{}, schedules: map[string][]byte{}, hooks: make(chan string, 8)}
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	awstest.Environment(t, server.URL)
	t.Chdir(t.TempDir()) // no definitions and no state of this machine
	cfg, err := aws.Load(t.Context())
	w.ok(err)
	name := fmt.Sprintf("cli%d", time.Now().UnixNano())
	remove, err := awstest.CreateTables(t.Context(), cfg, name+"-")
	w.ok(err)
	t.Cleanup(func() { _ = remove(context.WithoutCancel(t.Context())) })
	urls, err := awstest.CreateQueues(t.Context(), cfg, name, 1000)
	w.ok(err)
	w.outputs = map[string]string{
		"StateTable": name + "-" + awstest.State, "LedgerTable": name + "-" + awstest.Ledger, "ErrorsTable": name + "-" + awstest.Errors,
		"SalesforceQueue": urls[name], "SlackQueue": urls[name], "SecretPrefix": "prod/",
		"ApiUrl": "https://abc.execute-api.eu-west-1.amazonaws.com/v1", "SnowflakeRoleArn": "arn:aws:iam::1:role/Role",
		"ScheduleGroup": "prod", "ScheduleFunctionArn": "arn:aws:lambda:x:1:function:f", "ScheduleRoleArn": "arn:aws:iam::1:role/Schedules", "ScheduleDeadLettersArn": "arn:aws:sqs:x:1:dead",
	}

	now := time.Now
	w.vendors = apptest.NewVendors(t, now, -1)
	for _, s := range w.vendors.Services() {
		w.secrets["prod/"+map[string]string{"salesforce": "crm", "slack": "chat"}[s.Vendor.Name]] = string(w.json(s.Secret))
	}
	w.box, err = mail.New(mail.Config{Now: now, Verified: []string{"acme.com"}})
	w.ok(err)
	w.table = state.New(cfg, state.Config{Table: w.outputs["StateTable"], Now: now})
	errs, held := awserrors.New(cfg, awserrors.Config{Table: w.outputs["ErrorsTable"], Now: now}), ledger.New(cfg, ledger.Config{Table: w.outputs["LedgerTable"]})
	w.queue = queue.New(cfg, queue.Config{URLs: map[string]string{"salesforce": urls[name], "slack": urls[name]}})
	w.in = &intake.Intake{Syncs: w.table, Connections: w.table, Runs: w.table, Batches: w.table, Chunks: w.table, Errors: errs, Queue: w.queue, Ledger: held, Seen: w.table, Pauses: w.table, Now: now}
	w.worker = &deliver.Deliver{
		Queue: "salesforce", Syncs: w.table, Connections: w.table, Tokens: w.table, Runs: w.table, Chunks: w.table, Unchanged: w.table, Halts: w.table, Ledger: held, Errors: dueErrors{errs, w.table}, Visibility: w.queue,
		Open: worker.Open(salesforce.Vendor, dest.Config{Now: now, Loopback: true}, func(_ context.Context, _ syncdef.Connection, name string) (map[string]string, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			var values map[string]string
			return values, json.Unmarshal([]byte(w.secrets["prod/"+name]), &values)
		}),
		Now: now, Sleep: worker.Sleep, Rand: func() float64 { return 0.5 }, Hidden: time.Minute,
	}
	w.control, err = remote.Open(t.Context(), "prod")
	w.ok(err)

	dir := t.TempDir()
	for name, text := range files {
		w.ok(os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	set := apptest.Load(t, dir)
	for _, c := range apptest.Connections(set, w.vendors.Serve(t)) {
		w.ok(w.table.PutConnection(t.Context(), c))
	}
	for _, v := range apptest.Versions(set) {
		w.ok(w.table.Apply(t.Context(), v))
	}
	return w
}

func (w *stackWorld) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *stackWorld) json(v any) []byte {
	text, err := json.Marshal(v)
	w.ok(err)
	return text
}

// deny takes an action from the person, secretsmanager:GetSecretValue; "" gives all back.
func (w *stackWorld) deny(action string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.denied = action
}

// secret stores a secret of the stack.
func (w *stackWorld) secret(name, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.secrets["prod/"+name] = text
}

// refuses reports whether a request is one that the person may not make.
func (w *stackWorld) refuses(target string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, action, _ := strings.Cut(w.denied, ":")
	_, asked, _ := strings.Cut(target, ".")
	return action != "" && strings.HasPrefix(asked, action) // SendMessageBatch needs sqs:SendMessage
}

// note notes what a request needs to be allowed, as the documentation writes it: the action,
// and the table where there is one.
func (w *stackWorld) note(target string, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // the client may have gone away
	r.Body = io.NopCloser(bytes.NewReader(body))
	w.mu.Lock()
	defer w.mu.Unlock()
	service, operation, _ := strings.Cut(target, ".")
	switch service {
	case "DynamoDB_20120810":
		for _, action := range actionsOf(operation, string(body)) {
			for output, table := range w.outputs {
				if strings.Contains(string(body), `"`+table+`"`) {
					w.needed["dynamodb:"+action+" "+strings.ToLower(strings.TrimSuffix(output, "Table"))] = true
				}
			}
		}
	case "AmazonSQS":
		w.needed["sqs:"+strings.TrimSuffix(operation, "Batch")] = true
	case "secretsmanager":
		w.needed["secretsmanager:"+operation] = true
	default:
		if action := actionOf(r, string(body)); action != "" {
			w.needed[action] = true
		}
	}
}

// signedFor is the service in a request's signature.
var signedFor = regexp.MustCompile(`Credential=[^/]+/\d+/[^/]+/([a-z]+)/aws4_request`)

// actionOf is the action of a request to a service that names it in the form, or by method
// and path; "" of one that is no service's.
func actionOf(r *http.Request, body string) string {
	m := signedFor.FindStringSubmatch(r.Header.Get("Authorization"))
	if m == nil {
		return ""
	}
	switch service := m[1]; service {
	case "cloudformation", "iam":
		form, _ := url.ParseQuery(body)
		return service + ":" + form.Get("Action")
	case "ses":
		return "ses:SendEmail"
	case "scheduler":
		if r.URL.Path == "/schedules" {
			return "scheduler:ListSchedules"
		}
		return "scheduler:" + map[string]string{http.MethodGet: "Get", http.MethodPost: "Create", http.MethodPut: "Update", http.MethodDelete: "Delete"}[r.Method] + "Schedule"
	default:
		return service + ":" + r.Method
	}
}

// actionsOf are what IAM asks for of an operation (DynamoDB Developer Guide, "Using
// identity-based policies": a transaction needs the actions of its items).
func actionsOf(operation, body string) (actions []string) {
	if operation != "TransactWriteItems" {
		return []string{operation}
	}
	for item, action := range map[string]string{"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"} {
		if strings.Contains(body, `"`+item+`":{`) {
			actions = append(actions, action)
		}
	}
	return actions
}

// needs is what was called since it was asked for last, sorted.
func (w *stackWorld) needs() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := slices.Sorted(maps.Keys(w.needed))
	clear(w.needed)
	return all
}

// ServeHTTP answers for the services that have no server of their own here and for the
// webhook's receiver, and hands the others on.
func (w *stackWorld) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	target := r.Header.Get("X-Amz-Target")
	w.note(target, r)
	if w.refuses(target) {
		rw.Header().Set("Content-Type", "application/x-amz-json-1.0")
		rw.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(rw, `{"__type":"AccessDeniedException","message":"User: arn:aws:iam::1:user/ann is not authorized to perform: %s on resource: arn:aws:x because no identity-based policy allows it"}`, w.denied)
		return
	}
	prefix, _, _ := strings.Cut(strings.ReplaceAll(target, "_", "."), ".")
	if server := w.servers[prefix]; server != nil {
		server.ServeHTTP(rw, r)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case strings.HasPrefix(target, "secretsmanager."):
		apptest.SecretsManager(w.secrets).ServeHTTP(rw, r)
	case strings.HasPrefix(r.URL.Path, "/v2/email/"):
		w.box.ServeHTTP(rw, r)
	case r.URL.Path == "/hook":
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		w.hooks <- body.String()
	case strings.HasPrefix(r.URL.Path, "/restapis/"):
		fmt.Fprint(rw, `{"id":"abc","policy":"{}"}`)
	case r.URL.Path == "/schedules":
		names := []map[string]string{}
		for name := range w.schedules {
			names = append(names, map[string]string{"Name": name})
		}
		_ = json.NewEncoder(rw).Encode(map[string]any{"Schedules": names})
	case strings.HasPrefix(r.URL.Path, "/schedules/"):
		w.schedule(rw, r)
	case r.PostFormValue("Action") == "GetRole":
		fmt.Fprint(rw, `<GetRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetRoleResult><Role><Path>/</Path><RoleName>Role</RoleName><RoleId>A</RoleId><Arn>a</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate><AssumeRolePolicyDocument>%7B%7D</AssumeRolePolicyDocument></Role></GetRoleResult></GetRoleResponse>`)
	default:
		var members strings.Builder
		for key, value := range w.outputs {
			fmt.Fprintf(&members, "<member><OutputKey>%s</OutputKey><OutputValue>%s</OutputValue></member>", key, value)
		}
		fmt.Fprintf(rw, `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks><member><StackName>prod</StackName><StackStatus>CREATE_COMPLETE</StackStatus><CreationTime>2026-01-01T00:00:00Z</CreationTime><Outputs>%s</Outputs><Parameters><member><ParameterKey>AlertFrom</ParameterKey><ParameterValue>alerts@acme.com</ParameterValue></member><member><ParameterKey>SnowflakeUserArn</ParameterKey><ParameterValue>arn:aws:iam::2:user/snow</ParameterValue></member></Parameters></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`, &members)
	}
}

// schedule answers for one entry of EventBridge Scheduler.
func (w *stackWorld) schedule(rw http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/schedules/")
	switch stored, there := w.schedules[name]; {
	case r.Method == http.MethodPost || r.Method == http.MethodPut:
		w.schedules[name], _ = io.ReadAll(r.Body)
		fmt.Fprint(rw, `{"ScheduleArn":"arn:aws:scheduler:x:1:schedule/prod/x"}`)
	case !there:
		rw.Header().Set("X-Amzn-ErrorType", "ResourceNotFoundException")
		rw.WriteHeader(http.StatusNotFound)
		fmt.Fprint(rw, `{"Message":"no such schedule"}`)
	case r.Method == http.MethodDelete:
		delete(w.schedules, name)
	default:
		_, _ = rw.Write(stored)
	}
}

// push pushes rows, and answers their run.
func (w *stackWorld) push(sync, batch string, rows ...string) string {
	w.Helper()
	b := row.Batch{ID: batch, Query: batch, Function: "penstock_push"}
	for n, object := range rows {
		b.Rows = append(b.Rows, row.Row{Number: n, Target: sync, Object: jsontext.Value(object)})
	}
	answers, err := w.in.Push(w.Context(), b)
	w.ok(err)
	for _, a := range answers {
		if a.Status != row.Queued {
			w.Fatalf("%+v", a)
		}
	}
	return answers[0].Run
}

// drain hands what the queue shows to the worker, as Lambda does, until nothing is left.
func (w *stackWorld) drain() { w.drainBy(10) }

// drainBy is drain by so many messages at a time.
func (w *stackWorld) drainBy(n int) {
	w.Helper()
	for {
		in, err := w.queue.Receive(w.Context(), "salesforce", n, time.Minute)
		w.ok(err)
		if len(in) == 0 {
			return
		}
		result := w.worker.Handle(w.Context(), in)
		if len(result.Storage) > 0 {
			w.Fatal(result.Storage)
		}
		for _, m := range in {
			if !slices.Contains(result.Stay, m.ID) {
				w.ok(w.queue.Delete(w.Context(), "salesforce", m.Receipt))
			}
		}
	}
}

// fail makes the simulated vendor refuse records; without any it takes all.
func (w *stackWorld) fail(records ...string) {
	w.Helper()
	w.vendors.Salesforce.Core().ClearFaults()
	if len(records) > 0 {
		w.ok(w.vendors.Salesforce.Core().AddFault(sandbox.Fault{FailRecords: records, Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "no", Count: -1}))
	}
}

// A subcommand is what a person gives.
type subcommand interface {
	Run(ctx context.Context, s program) error
}

// says runs a command as ann, and answers what it printed, on one line.
func (w *stackWorld) says(command subcommand) (string, error) {
	w.Helper()
	var out bytes.Buffer
	in, err := os.Open(os.DevNull)
	w.ok(err)
	defer in.Close()
	s := program{out: &out, err: &out, in: in, clock: clock{now: time.Now, zone: time.UTC}, known: listed()}
	err = command.Run(runs.As(w.Context(), "ann"), s)
	return strings.Join(strings.Fields(out.String()), " "), err
}

// audited is what the audit log has, the newest first.
func (w *stackWorld) audited() (all []string) {
	w.Helper()
	actions, err := w.table.Actions(w.Context(), time.Now().Add(-time.Hour), 20)
	w.ok(err)
	for _, a := range actions {
		all = append(all, fmt.Sprint(a.Who, " ", a.What, " ", a.On, " ", a.Result))
	}
	return all
}

// paused reports whether the connection's rows wait.
func (w *stackWorld) paused(connection string) bool {
	w.Helper()
	p, err := w.table.Pace(w.Context(), connection)
	w.ok(err)
	return p.Failing()
}

// status is a run as it stands.
func (w *stackWorld) status(id string) run.Counts {
	w.Helper()
	s, err := w.control.Status(w.Context(), id)
	w.ok(err)
	return s.Runs[0].Counts
}
