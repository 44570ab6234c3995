package vendors_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/vendors"
	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// objects are an object of each vendor that shows metadata.
var objects = map[string]string{"salesforce": "Account", "hubspot": "contacts", "intercom": "contact", "slack": "message"}

// Every vendor that shows metadata describes its objects by fields that can be told
// apart, and takes no broken answer for an object without any.
func TestInspectors(t *testing.T) {
	for _, d := range vendors.All {
		t.Run(d.Vendor.Name, func(t *testing.T) {
			sim, err := d.Simulator.Open(sandbox.Settings{})
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(sim)
			defer server.Close()
			inspector := func() (dest.Inspector, bool) {
				account, err := d.Vendor.Open(dest.Config{Connection: syncdef.Connection{Name: "c", Type: d.Vendor.Name, URL: server.URL}, Loopback: true,
					Secret: func(context.Context) (map[string]string, error) { return d.Simulator.Secret, nil }})
				if err != nil {
					t.Fatal(err)
				}
				i, is := account.(dest.Inspector)
				return i, is
			}
			i, is := inspector()
			object := objects[d.Vendor.Name]
			if is != (object != "") {
				t.Fatalf("shows metadata: %v, and the test's object is %q", is, object)
			}
			if !is {
				return
			}
			def := syncdef.Definition{Object: object}
			described(t, i, &def)
			for _, body := range []string{"", "{}", "[]", "null", "<html>Sign in</html>", `{"fields":[{"name":`, `{"ok":true}`, `{"type":"list"}`, `{"results":null}`} {
				refused(t, server.URL, inspector, &def, 200, body)
			}
			for _, status := range []int{401, 403, 429, 500, 502} {
				refused(t, server.URL, inspector, &def, status, "<html>no</html>")
			}
		})
	}
}

// described wants a sound object.
func described(t *testing.T, i dest.Inspector, def *syncdef.Definition) {
	t.Helper()
	o, err := i.Describe(t.Context(), def)
	if err != nil || len(o.Fields) == 0 || len(o.Faults) > 0 {
		t.Fatalf("%+v, %v", o, err)
	}
	seen := map[string]bool{}
	for _, f := range o.Fields {
		name := f.Name
		if o.Fold {
			name = strings.ToLower(name)
		}
		if name == "" || seen[name] {
			t.Errorf("the field %q is there twice, or has no name", f.Name)
		}
		seen[name] = true
		if f.NoCreate && f.NoUpdate && (f.Why == "" || f.Required) {
			t.Errorf("%s cannot be written, and does not say why: %+v", f.Name, f)
		}
	}
	if names, err := i.Objects(t.Context()); err != nil || len(names) == 0 {
		t.Errorf("%v, %v", names, err)
	}
	rights, err := i.Rights(t.Context(), []syncdef.Definition{*def})
	if err != nil {
		t.Error(err)
	}
	for _, r := range rights {
		if r.Name == "" || r.For == "" || r.Missing != "" && !r.Some {
			t.Errorf("%+v", r)
		}
	}
}

// refused wants a broken answer to be an error.
func refused(t *testing.T, url string, inspector func() (dest.Inspector, bool), def *syncdef.Definition, status int, body string) {
	t.Helper()
	fault(t, url, `{"match":"/","status":`+strconv.Itoa(status)+`,"body":`+strconv.Quote(body)+`,"count":-1}`)
	defer fault(t, url, "")
	i, _ := inspector()
	o, err := i.Describe(t.Context(), def)
	var call *dest.CallError
	if !errors.As(err, &call) {
		t.Errorf("%d %q: %+v, %v", status, body, o, err)
	}
}

// fault arms a fault, or clears all.
func fault(t *testing.T, url, body string) {
	t.Helper()
	method := http.MethodPost
	if body == "" {
		method = http.MethodDelete
	}
	r, err := http.NewRequestWithContext(t.Context(), method, url+"/_sandbox/faults", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode >= 300 {
		t.Fatalf("fault %s: %d", body, resp.StatusCode)
	}
}
