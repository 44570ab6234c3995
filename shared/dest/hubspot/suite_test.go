package hubspot_test

import (
	"context"
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/desttest"
	"github.com/penstock-data/penstock/shared/dest/hubspot"
	"github.com/penstock-data/penstock/shared/sandbox"
	simulator "github.com/penstock-data/penstock/shared/sandbox/hubspot"
	"github.com/penstock-data/penstock/shared/syncdef"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A world is an account and a version open at it.
type world struct {
	sim     *simulator.Server
	cfg     dest.Config
	version syncdef.Version
	account dest.Account
	dest.Destination
}

// options are a simulator without limits, for the suite makes calls as it likes.
func options() simulator.Options {
	return simulator.Options{Token: "pat-test", TenSeconds: -1, Daily: -1, Now: func() time.Time { return noon }}
}

func start(t testing.TB, opts simulator.Options, def syncdef.Definition) *world {
	t.Helper()
	sim, err := simulator.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(sim)
	t.Cleanup(web.Close)
	w := &world{sim: sim, version: version(t, def), cfg: dest.Config{
		Connection: syncdef.Connection{Name: "hubspot_prod", Type: "hubspot", URL: web.URL}, Loopback: true, Now: opts.Now,
		Secret: func(context.Context) (map[string]string, error) { return map[string]string{"token": "pat-test"}, nil },
	}}
	w.cfg = desttest.Recorded(t, w.cfg)
	if w.account, err = hubspot.Vendor.Open(w.cfg); err != nil {
		t.Fatal(err)
	}
	if w.Destination, err = w.account.Open(w.version); err != nil {
		t.Fatal(err)
	}
	return w
}

// version is a definition as apply would store it.
func version(t testing.TB, def syncdef.Definition) syncdef.Version {
	t.Helper()
	if faults := hubspot.Kind.Check(&def, &syncdef.Connection{}); len(faults) > 0 {
		t.Fatal(syncdef.Faults(faults))
	}
	return syncdef.NewVersion(def, hubspot.Kind.RulesOf(&def, &syncdef.Connection{}), noon)
}

// byEmail is an upsert of contacts by their address.
var byEmail = syncdef.Definition{
	Sync: "hubspot_contacts", Object: "contacts", Strategy: syncdef.MatchEmail, Operation: syncdef.Upsert, BatchSize: 1000, OnDelete: syncdef.RemoveArchive,
	Match: syncdef.Match{Source: "email", Destination: "email"},
	Fields: []syncdef.Field{
		{Source: "name", Destination: "firstname"}, {Source: "ltv", Destination: "ltv_usd", Type: syncdef.Number}, {Source: "seg", Destination: "ltv_segment"},
		{Source: "i", Destination: "interests", Type: syncdef.JSON},
	},
}

func matching(operation syncdef.Operation, property string) syncdef.Definition {
	def := byEmail
	def.Operation = operation
	def.Match.Destination = property
	if property != "email" {
		def.Strategy = syncdef.MatchField
	}
	return def
}

func field(name, value string) dest.Field {
	return dest.Field{Name: name, Value: jsontext.Value(value)}
}

func contact(i int) dest.Record {
	key := fmt.Sprintf("person%d@example.com", i)
	return dest.Record{Key: key, RecordID: fmt.Sprint(i), Fields: []dest.Field{
		field("firstname", fmt.Sprintf(`"Person %d"`, i)), field("ltv_usd", fmt.Sprintf("%d.5", i)), field("ltv_segment", `"low"`),
	}}
}

// subject is the suite over one definition, whose records are known by a property.
func subject(w *world, property string) desttest.Subject {
	return desttest.Subject{
		Vendor: hubspot.Vendor, Config: w.cfg, Version: w.version, Core: w.sim.Core(), Record: contact,
		Stored: func(r dest.Record) map[string]string { return w.sim.Record("contacts", property, r.Key) },
		Count:  func() int { return w.sim.Count("contacts") }, Creates: true, Identity: "4711", Text: "firstname", Number: "ltv_usd",
		Bad: func(r dest.Record) dest.Record {
			r.Fields = append([]dest.Field{field("ltv_segment", `"enormous"`)}, r.Fields[:1]...)
			return r
		},
		BadCode: "INVALID_OPTION", Busy: sandbox.Fault{Match: "/batch/", Code: "INTERNAL_ERROR"}, Write: "/batch/",
		Throttle: sandbox.Fault{Status: 429, Headers: map[string]string{"Retry-After": "10"},
			Body: `{"status":"error","message":"You have reached your ten_secondly_rolling limit.","errorType":"RATE_LIMIT","correlationId":"c","policyName":"TEN_SECONDLY_ROLLING"}`},
		Quota:   dest.QuotaSecond,
		Refusal: sandbox.Fault{Status: 401, Body: `{"status":"error","message":"The OAuth token used to make this call expired","correlationId":"c","category":"EXPIRED_AUTHENTICATION"}`},
		Long:    `{"status":"COMPLETE","results":[{"id":"1","objectWriteTraceId":"0"},{"id":"2","objectWriteTraceId":"1"},{"id":"3","objectWriteTraceId":"2"}]}`,
		Clears:  true, Idempotent: true,
	}
}

func TestSuiteUpsertByEmail(t *testing.T) {
	desttest.Run(t, func(t *testing.T) desttest.Subject { return subject(start(t, options(), byEmail), "email") })
}

func TestSuiteUpsertByProperty(t *testing.T) {
	def := matching(syncdef.Upsert, "customer_id")
	desttest.Run(t, func(t *testing.T) desttest.Subject { return subject(start(t, options(), def), "customer_id") })
}

// TestSuiteClear empties the fields of deleted rows.
func TestSuiteClear(t *testing.T) {
	def := byEmail
	def.OnDelete = syncdef.RemoveClear
	desttest.Run(t, func(t *testing.T) desttest.Subject { return subject(start(t, options(), def), "email") })
}

// TestSuiteInsert has records whose arrival can be found out.
func TestSuiteInsert(t *testing.T) {
	def := matching(syncdef.Insert, "email")
	desttest.Run(t, func(t *testing.T) desttest.Subject {
		s := subject(start(t, options(), def), "email")
		s.Idempotent, s.Clears = false, false
		s.Write, s.Query = "/batch/create", "/batch/read"
		s.Busy.Match = s.Write
		return s
	})
}

// existing is a subject whose records exist, and their ids by key.
func existing(t *testing.T, def syncdef.Definition) (desttest.Subject, map[string]string) {
	w := start(t, options(), def)
	s := subject(w, "email")
	s.Creates = false
	rows := map[string]map[string]string{}
	for i := range 1010 {
		key := contact(i).Key
		rows[key] = map[string]string{"email": key}
	}
	keys := slices.Sorted(maps.Keys(rows))
	ids, err := w.sim.Seed("contacts", func(yield func(map[string]string) bool) {
		for _, k := range keys {
			if !yield(rows[k]) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	byKey := map[string]string{}
	for i, k := range keys {
		byKey[k] = ids[i]
	}
	return s, byKey
}

// TestSuiteUpdate has records that are found by their address.
func TestSuiteUpdate(t *testing.T) {
	def := matching(syncdef.Update, "email")
	desttest.Run(t, func(t *testing.T) desttest.Subject {
		s, ids := existing(t, def)
		s.Write, s.Query = "/batch/update", "/batch/read"
		s.Busy.Match = s.Write
		s.Record = func(i int) dest.Record {
			r := contact(i)
			r.ID = ids[r.Key]
			return r
		}
		return s
	})
}

// TestSuiteByID has records that are named by their own id.
func TestSuiteByID(t *testing.T) {
	def := matching(syncdef.Update, "hs_object_id")
	desttest.Run(t, func(t *testing.T) desttest.Subject {
		s, ids := existing(t, def)
		s.Record = func(i int) dest.Record {
			r := contact(i)
			r.Key = ids[r.Key]
			return r
		}
		s.Stored = storedByID(s)
		return s
	})
}

func storedByID(s desttest.Subject) func(dest.Record) map[string]string {
	byEmail := s.Stored
	return func(r dest.Record) map[string]string {
		if r.RecordID != "" {
			r.Key = fmt.Sprintf("person%s@example.com", r.RecordID)
		}
		return byEmail(r)
	}
}
