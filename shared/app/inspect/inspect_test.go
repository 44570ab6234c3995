package inspect_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/app/inspect"
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/metadata"
)

// An account answers as the test says.
type account struct {
	dest.Account
	login, probe, describe, rightsErr error
	rights                            []dest.Right
	object                            metadata.Object
}

func (a *account) Identity(context.Context) (string, error) { return "org-1", a.login }
func (a *account) Probe(context.Context) error              { return a.probe }
func (a *account) Objects(context.Context) ([]string, error) {
	return []string{"Account", "Contact"}, nil
}

func (a *account) Describe(_ context.Context, d *syncdef.Definition) (*metadata.Object, error) {
	o := a.object
	o.Name = d.Object
	return &o, a.describe
}

func (a *account) Rights(context.Context, []syncdef.Definition) ([]dest.Right, error) {
	return a.rights, a.rightsErr
}

// A plain account shows no metadata.
type plain struct{ dest.Account }

func (plain) Identity(context.Context) (string, error) { return "", nil }
func (plain) Probe(context.Context) error              { return nil }

var connection = syncdef.Connection{Name: "crm", Type: "cards"}

func asker(a dest.Account, opened *int) *inspect.Asker {
	return &inspect.Asker{
		Vendors: []dest.Vendor{{Kind: syncdef.Kind{Name: "cards", Title: "Cards"}, Open: func(dest.Config) (dest.Account, error) { return a, nil }}},
		Open: func(v dest.Vendor, _ syncdef.Connection) (dest.Account, error) {
			if opened != nil {
				*opened++
			}
			return v.Open(dest.Config{})
		},
	}
}

func failed(class dest.Class, scope dest.Scope, code string) error {
	return &dest.CallError{Op: "ask", Class: class, Scope: scope, Code: code, Message: "because of " + code}
}

var definition = syncdef.Definition{Sync: "s", Object: "Acount", Operation: syncdef.Update}

// Each failure of a test is a step of its own, and what cannot be known is not missing.
func TestTest(t *testing.T) {
	for name, test := range map[string]struct {
		account dest.Account
		pinned  string
		uses    []syncdef.Definition
		want    []string // name verdict
		says    string
	}{
		"all well":        {account: &account{}, want: []string{"login ok", "account ok"}},
		"secret":          {account: &account{login: failed(dest.Configuration, dest.ScopeConnection, "secret")}, want: []string{"secret missing"}, says: "because of secret"},
		"login":           {account: &account{login: failed(dest.Configuration, dest.ScopeConnection, "invalid_client")}, want: []string{"login missing"}},
		"no answer":       {account: &account{login: failed(dest.Unavailable, dest.ScopeConnection, "network")}, want: []string{"api missing"}},
		"API disabled":    {account: &account{probe: failed(dest.Configuration, dest.ScopeConnection, "API_DISABLED")}, want: []string{"login ok", "api missing"}, says: "API_DISABLED"},
		"another account": {account: &account{}, pinned: "org-0", want: []string{"login ok", "account missing"}, says: "connect crm --accept-account"},
		"same account":    {account: &account{}, pinned: "org-1", want: []string{"login ok", "account ok"}},
		"scopes": {account: &account{rights: []dest.Right{{Name: "read", For: "x"}, {Name: "write", For: "x", Missing: "add it"}, {Name: "more", For: "x", Missing: "add it", Some: true}}},
			want: []string{"login ok", "account ok", "read ok", "write missing", "more notice"}, says: "x: add it"},
		"scopes are not told": {account: &account{rightsErr: failed(dest.Unavailable, dest.ScopeUntold, "503")}, want: []string{"login ok", "account ok", "permissions unknown"}},
		"object":              {account: &account{}, uses: []syncdef.Definition{definition}, want: []string{"login ok", "account ok", "object Acount ok"}, says: "sync s may change its records"},
		"no object": {account: &account{describe: failed(dest.Configuration, dest.ScopeVersion, "NOT_FOUND")}, uses: []syncdef.Definition{definition},
			want: []string{"login ok", "account ok", "object Acount missing"}, says: "did you mean Account?"},
		"object is not told": {account: &account{describe: failed(dest.Unavailable, dest.ScopeUntold, "503")}, uses: []syncdef.Definition{definition}, want: []string{"login ok", "account ok", "object Acount unknown"}},
		"object, read only":  {account: &account{object: metadata.Object{NoUpdate: true}}, uses: []syncdef.Definition{definition}, want: []string{"login ok", "account ok", "object Acount missing"}, says: "may not change its records"},
		"nothing to tell":    {account: plain{}, want: []string{"login ok", "account unknown", "permissions unknown"}, says: "Cards shows no metadata"},
	} {
		steps, err := asker(test.account, nil).Test(t.Context(), connection, test.pinned, test.uses)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		said := ""
		for _, s := range steps {
			got = append(got, s.Name+" "+string(s.Verdict))
			said += s.Detail + "\n"
			if s.Never != (name == "nothing to tell" && s.Verdict == inspect.Unknown) {
				t.Errorf("%s: %s is never told: %v", name, s.Name, s.Never)
			}
		}
		if d := cmp.Diff(test.want, got); d != "" || !strings.Contains(said, test.says) {
			t.Errorf("%s: %s%s", name, d, said)
		}
	}
}

// An account is opened once for all syncs of its connection, and one that says nothing
// stands for no faults.
func TestCheck(t *testing.T) {
	opened := 0
	a := asker(&account{login: errors.New("no secret here")}, &opened)
	for range 3 {
		got, err := a.Check(t.Context(), definition, connection)
		if err != nil || got.Untold != "no secret here" || got.None || len(got.Faults) != 0 {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if opened != 1 {
		t.Errorf("opened %d times", opened)
	}
	got, err := asker(plain{}, nil).Check(t.Context(), definition, connection)
	if err != nil || !got.None || got.Untold == "" {
		t.Errorf("%+v, %v", got, err)
	}
	got, err = asker(&account{describe: failed(dest.Configuration, dest.ScopeVersion, "x")}, nil).Check(t.Context(), definition, connection)
	if err != nil || len(got.Faults) != 1 || got.Faults[0].Path != "destination_object" || got.Faults[0].Message != "destination_object: because of x; did you mean Account?" {
		t.Errorf("%+v, %v", got, err)
	}
	got, err = asker(&account{describe: failed(dest.Throttled, dest.ScopeConnection, "quota")}, nil).Check(t.Context(), definition, connection)
	if err != nil || len(got.Faults) != 0 || got.Untold != "because of quota" {
		t.Errorf("%+v, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := asker(&account{}, nil).Check(ctx, definition, connection); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
