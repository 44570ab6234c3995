package apply_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/app/apply"
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/salesforce"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	simulator "github.com/penstock-data/penstock/shared/sandbox/salesforce"
	"github.com/penstock-data/penstock/shared/syncdef"
)

var connection = syncdef.Connection{Name: "crm", Type: "salesforce"}

// An org is an organisation with a case-sensitive field, and what was applied before.
type org struct {
	url    string
	opened int
	old    *syncdef.Version
	down   error
}

func newOrg(t *testing.T) *org {
	schema := simulator.DefaultSchema()
	schema[0].Fields = append(schema[0].Fields, simulator.Field{Name: "Exact__c", Type: simulator.Text, Length: 80, Unique: true, ExternalID: true, CaseSensitive: true})
	sim, err := simulator.New(simulator.Options{Schema: schema, Credentials: simulator.Credentials{ClientID: "app", ClientSecret: "hush"}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	return &org{url: server.URL}
}

func (o *org) accounts() *apply.Accounts {
	return &apply.Accounts{
		Vendors: []dest.Vendor{salesforce.Vendor},
		Open: func(v dest.Vendor, c syncdef.Connection) (dest.Account, error) {
			o.opened++
			if o.down != nil {
				return nil, o.down
			}
			c.URL = o.url
			return v.Open(dest.Config{Connection: c, Loopback: true, Secret: func(context.Context) (map[string]string, error) {
				return map[string]string{"client_id": "app", "client_secret": "hush"}, nil
			}})
		},
		Current: func(context.Context, string) (syncdef.Version, error) {
			if o.old == nil {
				return syncdef.Version{}, run.ErrNotFound
			}
			return *o.old, nil
		},
	}
}

func definition(field string, change func(*syncdef.Match)) syncdef.Definition {
	d := syncdef.Definition{Sync: "s", Connection: "crm", Object: "Account", Strategy: syncdef.MatchField, Operation: syncdef.Update,
		Match: syncdef.Match{Source: "id", Destination: field}}
	if change != nil {
		change(&d.Match)
	}
	return d
}

func rulesOf(d syncdef.Definition) syncdef.Rules { return salesforce.Vendor.RulesOf(&d, &connection) }

func said(c bool) func(*syncdef.Match) { return func(m *syncdef.Match) { m.Case = &c } }
func kind(k syncdef.MatchType) func(*syncdef.Match) {
	return func(m *syncdef.Match) { m.DataType = k }
}

// TestRulesAreTheAccounts holds that the rule of identity is the account's, and that
// what a definition says of it must not contradict.
func TestRulesAreTheAccounts(t *testing.T) {
	o := newOrg(t)
	accounts := o.accounts()
	for name, test := range map[string]struct {
		field  string
		change func(*syncdef.Match)
		want   []row.Step
		fault  string
	}{
		"no case":             {"Customer_ID__c", nil, []row.Step{row.StepPlain, row.StepTrim, row.StepLower, row.StepNFC}, ""},
		"case":                {"Exact__c", nil, []row.Step{row.StepPlain, row.StepTrim, row.StepNFC}, ""},
		"case, as said":       {"Exact__c", said(true), []row.Step{row.StepPlain, row.StepTrim, row.StepNFC}, ""},
		"no case, as said":    {"AccountNumber", said(false), []row.Step{row.StepPlain, row.StepTrim, row.StepLower, row.StepNFC}, ""},
		"a number":            {"NumberOfEmployees", nil, []row.Step{row.StepTrim, row.StepNumber}, ""},
		"an id":               {"OwnerOf__c", kind(syncdef.MatchID), []row.Step{row.StepTrim, row.StepID18}, ""},
		"case against it":     {"Customer_ID__c", said(true), nil, "match.case: true, but Account.Customer_ID__c"},
		"no case against it":  {"Exact__c", said(false), nil, "match.case: false, but Account.Exact__c"},
		"case of a number":    {"NumberOfEmployees", said(true), nil, "match.case: it has no use"},
		"text, but a number":  {"NumberOfEmployees", kind(syncdef.MatchText), nil, "match.data_type: text, but Account.NumberOfEmployees"},
		"number, but a text":  {"AccountNumber", kind(syncdef.MatchNumber), nil, "holds a text"},
		"id, but a text":      {"AccountNumber", kind(syncdef.MatchID), nil, "holds a text"},
		"Id is not asked for": {"Id", nil, []row.Step{row.StepTrim, row.StepID18}, ""},
	} {
		d := definition(test.field, test.change)
		got, note, err := accounts.Rules(t.Context(), d, rulesOf(d), connection)
		var faults syncdef.Faults
		switch {
		case test.fault != "":
			if !errors.As(err, &faults) || !strings.Contains(err.Error(), test.fault) || !strings.Contains(err.Error(), `sync "s"`) {
				t.Errorf("%s: %v", name, err)
			}
		case err != nil || note != "" || got.Identity.CaseUnsure:
			t.Errorf("%s: %+v %q %v", name, got.Identity, note, err)
		case len(got.Identity.Steps) != len(test.want):
			t.Errorf("%s: %v, want %v", name, got.Identity.Steps, test.want)
		default:
			for i, s := range test.want {
				if got.Identity.Steps[i] != s {
					t.Errorf("%s: %v, want %v", name, got.Identity.Steps, test.want)
				}
			}
		}
	}
	if o.opened != 1 {
		t.Errorf("the account was opened %d times", o.opened)
	}
}

// TestSilentAccount holds that an account which cannot be asked stops nothing: the
// safe rule holds and is told, or what an applied version knows; and a connection is
// waited for once.
func TestSilentAccount(t *testing.T) {
	o := newOrg(t)
	custom, exact, standard := definition("Customer_ID__c", nil), definition("Exact__c", nil), definition("AccountNumber", nil)
	check := func(name string, a *apply.Accounts, d syncdef.Definition, unsure bool, steps int, says string) {
		t.Helper()
		got, note, err := a.Rules(t.Context(), d, rulesOf(d), connection)
		if err != nil || got.Identity.CaseUnsure != unsure || len(got.Identity.Steps) != steps || !strings.Contains(note, says) || says == "" && note != "" {
			t.Errorf("%s: %+v %q %v", name, got.Identity, note, err)
		}
	}
	o.down = errors.New("no secret here")
	down := o.accounts()
	check("custom", down, custom, true, 3, "rows that equal another only by case are rejected")
	check("why", down, exact, true, 3, "no secret here")
	check("standard", down, standard, false, 4, "")
	if o.opened != 1 {
		t.Errorf("a silent account was opened %d times", o.opened)
	}
	// What an apply learnt before holds, for the same match only.
	o.down = nil
	known, _, err := o.accounts().Rules(t.Context(), custom, rulesOf(custom), connection)
	if err != nil {
		t.Fatal(err)
	}
	v := syncdef.NewVersion(custom, known, time.Time{})
	o.old = &v
	o.down = errors.New("no secret here")
	check("kept", o.accounts(), custom, false, 4, "what the applied version knows")
	check("another field", o.accounts(), exact, true, 3, "rejected")
	saidNow := definition("Customer_ID__c", said(true))
	check("said now", o.accounts(), saidNow, false, 3, "")

	o.down, o.old = nil, nil
	check("no such field", o.accounts(), definition("Nothing__c", nil), true, 3, "shows no field Account.Nothing__c")
	resp, err := http.Post(o.url+"/_sandbox/faults", "application/json", strings.NewReader(`{"match":"describe","status":503,"body":"x","count":-1}`))
	if err != nil || resp.StatusCode >= 300 {
		t.Fatal(err, resp)
	}
	resp.Body.Close()
	check("outage", o.accounts(), custom, true, 3, "503")
}
