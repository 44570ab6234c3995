package salesforce_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/desttest"
	"github.com/penstock-data/penstock/shared/dest/salesforce"
	"github.com/penstock-data/penstock/shared/sandbox"
	simulator "github.com/penstock-data/penstock/shared/sandbox/salesforce"
	"github.com/penstock-data/penstock/shared/syncdef"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// wideSchema is the default with one field that takes long decimals.
func wideSchema() simulator.Schema {
	s := simulator.DefaultSchema()
	for i := range s {
		s[i].Fields = append(s[i].Fields, simulator.Field{Name: "Exact__c", Type: simulator.Double, Precision: 18, Scale: 2})
	}
	return s
}

// A world is an organisation and a version open at it.
type world struct {
	sim     *simulator.Simulator
	cfg     dest.Config
	account dest.Account
	dest.Destination
}

// start makes a simulator and a destination over it.
func start(t testing.TB, def syncdef.Definition) *world {
	t.Helper()
	sim, err := simulator.New(simulator.Options{
		Core:        sandbox.Options{Now: func() time.Time { return noon }},
		Schema:      wideSchema(),
		Credentials: simulator.Credentials{ClientID: "app", ClientSecret: "hush"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return over(t, sim, def)
}

func over(t testing.TB, sim *simulator.Simulator, def syncdef.Definition) *world {
	t.Helper()
	srv := httptest.NewServer(sim)
	t.Cleanup(srv.Close)
	w := connect(t, def, srv.URL)
	w.sim = sim
	return w
}

func config(url string) dest.Config {
	return dest.Config{
		Connection: syncdef.Connection{Name: "salesforce_prod", Type: "salesforce", URL: url},
		Loopback:   true,
		Secret: func(context.Context) (map[string]string, error) {
			return map[string]string{"client_id": "app", "client_secret": "hush"}, nil
		},
		Now: func() time.Time { return noon },
	}
}

func connect(t testing.TB, def syncdef.Definition, url string) *world {
	t.Helper()
	w := &world{cfg: desttest.Recorded(t, config(url))}
	var err error
	if w.account, err = salesforce.Vendor.Open(w.cfg); err != nil {
		t.Fatal(err)
	}
	if w.Destination, err = w.account.Open(version(t, def)); err != nil {
		t.Fatal(err)
	}
	return w
}

// version is a definition as apply would store it.
func version(t testing.TB, def syncdef.Definition) syncdef.Version {
	t.Helper()
	if faults := salesforce.Kind.Check(&def, &syncdef.Connection{}); len(faults) > 0 {
		t.Fatal(syncdef.Faults(faults))
	}
	return syncdef.NewVersion(def, salesforce.Kind.RulesOf(&def, &syncdef.Connection{}), noon)
}

func (w *world) arm(t testing.TB, f sandbox.Fault) {
	t.Helper()
	if err := w.sim.Core().AddFault(f); err != nil {
		t.Fatal(err)
	}
}

// push makes all calls of a batch.
func (w *world) push(t testing.TB, b dest.Batch) []dest.Outcome {
	t.Helper()
	out := make([]dest.Outcome, len(b.Records))
	for _, c := range w.Calls(b, 0) {
		got, err := w.Push(t.Context(), b, c)
		if err != nil {
			t.Fatal(err)
		}
		for i, at := range c.Records {
			out[at] = got[i]
		}
	}
	return out
}

// byExternalID is an upsert on Customer_ID__c.
var byExternalID = syncdef.Definition{
	Sync: "s", Object: "Account", Strategy: syncdef.MatchExternalID, Operation: syncdef.Upsert,
	Match: syncdef.Match{Source: "customer_id", Destination: "Customer_ID__c"}, BatchSize: 1000, OnDelete: syncdef.RemoveDelete,
}

func matching(strategy syncdef.Strategy, destination string) syncdef.Definition {
	def := byExternalID
	def.Strategy, def.OnMissing = strategy, syncdef.Report
	def.Match = syncdef.Match{Source: "x", Destination: destination}
	if strategy == syncdef.MatchExternalID {
		def.OnMissing = ""
	}
	return def
}

// creating is an upsert that makes what it does not find.
func creating(strategy syncdef.Strategy, destination string) syncdef.Definition {
	def := matching(strategy, destination)
	def.OnMissing = syncdef.Create
	def.Fields = []syncdef.Field{{Source: "name", Destination: "Name"}}
	return def
}

func field(name, value string) dest.Field {
	return dest.Field{Name: name, Value: jsontext.Value(value)}
}

func account(i int) dest.Record {
	key := fmt.Sprintf("cust_%06d", i)
	return dest.Record{Key: key, RecordID: key, Fields: []dest.Field{
		field("Name", fmt.Sprintf(`"Company %d"`, i)),
		field("Health_Score__c", fmt.Sprintf("%d.5", i%100)),
		field("Recommended_Action__c", `"Monitor regularly and follow standard cadence"`),
	}}
}

func keyed(keys ...string) dest.Batch {
	b := dest.Batch{Run: "r:1"}
	for _, k := range keys {
		b.Records = append(b.Records, dest.Record{Key: k, RecordID: k})
	}
	return b
}

func seed(t testing.TB, sim *simulator.Simulator, fields []string, rows ...[]string) {
	t.Helper()
	if err := sim.Seed("Account", fields, slices.Values(rows)); err != nil {
		t.Fatal(err)
	}
}

// stored reads a record's fields from the simulator by a match field.
func stored(sim *simulator.Simulator, match, key string, fields ...string) map[string]string {
	var out map[string]string
	sim.Each("Account", func(r simulator.Record) bool {
		if text, _ := r.Text(match); string(text) != key {
			return true
		}
		out = map[string]string{"Id": r.ID()}
		for _, f := range fields {
			if text, ok := r.Text(f); ok {
				out[f] = string(text)
			}
		}
		return false
	})
	return out
}

var suiteFields = []string{"Name", "Website", "Health_Score__c", "Recommended_Action__c", "Exact__c"}

// subject is the suite over one definition, whose records are known by match.
func subject(t *testing.T, w *world, def syncdef.Definition, match string) desttest.Subject {
	return desttest.Subject{
		Vendor: salesforce.Vendor, Config: w.cfg, Version: version(t, def), Core: w.sim.Core(), Record: account,
		Stored:  func(r dest.Record) map[string]string { return stored(w.sim, match, r.Key, suiteFields...) },
		Count:   func() int { return w.sim.Count("Account") },
		Creates: true, Identity: "00D5g0000000001EAA",
		Text: "Recommended_Action__c", Number: "Exact__c",
		Bad: func(r dest.Record) dest.Record {
			r.Fields = append([]dest.Field{field("Health_Score__c", "123456")}, r.Fields[:1]...)
			return r
		},
		BadCode:  "NUMBER_OUTSIDE_VALID_RANGE",
		Busy:     sandbox.Fault{Match: "composite/sobjects", Code: "UNABLE_TO_LOCK_ROW"},
		Write:    "composite/sobjects",
		Throttle: sandbox.Fault{Status: 403, Body: `[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]`},
		Quota:    dest.QuotaDay,
		Expired:  sandbox.Fault{Match: "composite/sobjects", Action: "expire_sessions"},
		Refusal:  sandbox.Fault{Match: "oauth2/token", Status: 400, Body: `{"error":"invalid_client","error_description":"invalid client credentials"}`},
		Long:     `[{"id":"0015g0000000001AAA","success":true},{"id":"0015g0000000002AAA","success":true},{"id":"0015g0000000003AAA","success":true}]`,
		LogsIn:   true, Clears: true, Idempotent: true,
	}
}

func TestSuiteUpsert(t *testing.T) {
	desttest.Run(t, func(t *testing.T) desttest.Subject {
		return subject(t, start(t, byExternalID), byExternalID, "Customer_ID__c")
	})
}

// TestSuiteCreate runs the same over creates and updates by Id.
func TestSuiteCreate(t *testing.T) {
	def := creating(syncdef.MatchField, "AccountNumber")
	desttest.Run(t, func(t *testing.T) desttest.Subject {
		s := subject(t, start(t, def), def, "AccountNumber")
		s.Idempotent, s.Query = false, "/composite"
		return s
	})
}

// TestSuiteClear empties the fields of deleted rows.
func TestSuiteClear(t *testing.T) {
	def := byExternalID
	def.OnDelete = syncdef.RemoveClear
	def.Fields = []syncdef.Field{{Source: "h", Destination: "Health_Score__c"}, {Source: "r", Destination: "Recommended_Action__c"}} // Name cannot be empty
	desttest.Run(t, func(t *testing.T) desttest.Subject { return subject(t, start(t, def), def, "Customer_ID__c") })
}

// A field that a record needs cannot be cleared: it is mapped, and the advice is another
// than that of a row that lacks it.
func TestClearOfARequiredField(t *testing.T) {
	def := byExternalID
	def.OnDelete = syncdef.RemoveClear
	w := start(t, def)
	b := dest.Batch{Records: []dest.Record{account(1)}}
	b.Records[0].ID = w.push(t, b)[0].ID
	b.Records[0].Fields = []dest.Field{{Name: "Name", Value: jsontext.Value("null")}}
	for deletes, want := range map[bool]string{true: "use on_delete: delete", false: "map the field"} {
		b.Records[0].Delete = deletes
		if o := w.push(t, b)[0]; o.Code != "REQUIRED_FIELD_MISSING" || o.Field != "Name" || !strings.Contains(o.Message, want) {
			t.Errorf("%v: %+v", deletes, o)
		}
	}
}

// TestSuiteInsert has records whose arrival can be found out.
func TestSuiteInsert(t *testing.T) {
	def := creating(syncdef.MatchField, "AccountNumber")
	def.Operation, def.OnMissing = syncdef.Insert, ""
	desttest.Run(t, func(t *testing.T) desttest.Subject {
		s := subject(t, start(t, def), def, "AccountNumber")
		s.Idempotent, s.Query = false, "/composite"
		return s
	})
}

// TestSuiteUpdate has records that exist, found by search.
func TestSuiteUpdate(t *testing.T) {
	def := matching(syncdef.MatchField, "AccountNumber")
	def.Operation = syncdef.Update
	desttest.Run(t, func(t *testing.T) desttest.Subject {
		s, ids := existing(t, def)
		s.Query = "/composite"
		s.Name = func(r dest.Record) string { return r.ID }
		s.Record = func(i int) dest.Record {
			r := account(i)
			r.ID = ids[r.Key]
			return r
		}
		return s
	})
}

// TestSuiteByID has records that exist, named by their own Id.
func TestSuiteByID(t *testing.T) {
	def := matching(syncdef.MatchField, "Id")
	def.Operation = syncdef.Update
	desttest.Run(t, func(t *testing.T) desttest.Subject {
		s, ids := existing(t, def)
		s.Record = func(i int) dest.Record {
			r := account(i)
			r.Key = ids[r.Key]
			return r
		}
		byNumber := s.Stored
		s.Stored = func(r dest.Record) map[string]string {
			r.Key = r.RecordID
			return byNumber(r)
		}
		return s
	})
}

// existing is a subject whose first records exist, and their ids by AccountNumber.
func existing(t *testing.T, def syncdef.Definition) (desttest.Subject, map[string]string) {
	w := start(t, def)
	s := subject(t, w, def, "AccountNumber")
	s.Creates = false
	var rows [][]string
	for i := range 1010 {
		rows = append(rows, []string{"Company", account(i).Key})
	}
	seed(t, w.sim, []string{"Name", "AccountNumber"}, rows...)
	ids := map[string]string{}
	w.sim.Each("Account", func(r simulator.Record) bool {
		number, _ := r.Text("AccountNumber")
		ids[string(number)] = r.ID()
		return true
	})
	return s, ids
}
