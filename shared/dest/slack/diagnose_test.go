package slack

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// workspace answers for one channel; history says how each call of its history is
// answered.
func workspace(t *testing.T, member bool, history func(call int, w http.ResponseWriter)) *account {
	t.Helper()
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case strings.HasSuffix(r.URL.Path, "conversations.list"):
			fmt.Fprintf(w, `{"ok":true,"channels":[{"id":"C1","name":"alerts","is_member":%t}]}`, member)
		case strings.HasSuffix(r.URL.Path, "conversations.history"):
			calls++
			history(calls, w)
		default:
			fmt.Fprint(w, `{"ok":true,"team_id":"T1","user_id":"U1"}`)
		}
	}))
	t.Cleanup(server.Close)
	opened, err := Vendor.Open(dest.Config{
		Connection: syncdef.Connection{Name: "sl", Type: "slack", URL: server.URL}, HTTP: server.Client(), Loopback: true,
		Secret: func(context.Context) (map[string]string, error) { return map[string]string{"token": "xoxb-1"}, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return opened.(*account)
}

// page is an answer of n messages.
func page(w http.ResponseWriter, n int, more bool) {
	next := ""
	if more {
		next = "bmV4dA=="
	}
	messages := strings.TrimSuffix(strings.Repeat(`{"ts":"1.0","text":""},`, n), ",")
	fmt.Fprintf(w, `{"ok":true,"messages":[%s],"has_more":%t,"response_metadata":{"next_cursor":%q}}`, messages, more, next)
}

// An app that is distributed outside of the marketplace shows by its pages of 15
// messages, or by the second call of a minute being refused.
func TestKindOfApp(t *testing.T) {
	limited := func(w http.ResponseWriter, after int) {
		w.Header().Set("Retry-After", fmt.Sprint(after))
		w.WriteHeader(http.StatusTooManyRequests)
	}
	for name, test := range map[string]struct {
		member  bool
		history func(call int, w http.ResponseWriter)
		says    string
		remedy  bool
	}{
		"few messages, internal":         {true, func(_ int, w http.ResponseWriter) { page(w, 3, false) }, "internal", false},
		"many messages, internal":        {true, func(_ int, w http.ResponseWriter) { page(w, 200, true) }, "internal", false},
		"pages of 15":                    {true, func(_ int, w http.ResponseWriter) { page(w, 15, true) }, "distributed", true},
		"15 messages are all":            {true, func(_ int, w http.ResponseWriter) { page(w, 15, false) }, "internal", false},
		"the second call is refused":     {true, func(n int, w http.ResponseWriter) { onceThen(n, w, func() { limited(w, 60) }) }, "distributed", true},
		"no channel":                     {false, func(_ int, w http.ResponseWriter) { page(w, 3, false) }, "not known", false},
		"a channel that may not be read": {true, func(_ int, w http.ResponseWriter) { fmt.Fprint(w, `{"ok":false,"error":"missing_scope"}`) }, "not known", false},
	} {
		found, err := workspace(t, test.member, test.history).Diagnose(t.Context(), nil)
		if err != nil || len(found) != 1 || !strings.Contains(found[0].Detail, test.says) || (found[0].Remedy != "") != test.remedy {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
	}
	// Another limit, or a failure, says nothing of the kind of app.
	if found, err := workspace(t, true, func(_ int, w http.ResponseWriter) { limited(w, 2) }).Diagnose(t.Context(), nil); err == nil {
		t.Errorf("a short limit: %+v", found)
	}
}

func onceThen(call int, w http.ResponseWriter, then func()) {
	if call == 1 {
		page(w, 3, false)
		return
	}
	then()
}
