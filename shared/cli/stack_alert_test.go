package cli

import (
	"maps"
	"net/http/httptest"
	"strings"
	"testing"
)

// A test notice of a stack goes out by what the stack has: the connection that it stores
// with the secret beside it, the sender of its parameter, the webhook's secret.
func TestServersStackAlertTest(t *testing.T) {
	files := maps.Clone(thingsFiles)
	files["connections.yaml"] += "  chat: {type: slack}\n"
	files["things.yaml"] += `notifications:
  - {type: email, recipients: [data@acme.com]}
  - {type: slack, connection: chat, channel: "#customer-health"}
  - {type: webhook, secret: pager}
`
	w := newStackWorld(t, files)
	hook := httptest.NewServer(w)
	t.Cleanup(hook.Close)
	w.secret("pager", `{"url":"`+hook.URL+`/hook","key":"0123456789abcdef0123456789abcdef"}`)
	test := func() (string, error) { return w.says(alertTestCmd{Sync: "things", Stack: "prod"}) }
	out, err := test()
	if err != nil || !strings.Contains(out, "email to data@acme.com: sent") || !strings.Contains(out, "slack to #customer-health of chat: sent") || !strings.Contains(out, "webhook to the url in the secret pager: sent") {
		t.Fatalf("%v: %s", err, out)
	}
	if got := w.box.Messages(); len(got) != 1 || got[0].From != "alerts@acme.com" {
		t.Errorf("%+v", got)
	}
	if body := <-w.hooks; !strings.Contains(body, "things") {
		t.Errorf("the webhook got %s", body)
	}
	if n := len(w.vendors.Slack.Messages()); n != 1 {
		t.Errorf("%d messages are in the channel", n)
	}

	w.deny("secretsmanager:GetSecretValue")
	out, err = test()
	if err == nil || !strings.Contains(out, "email to data@acme.com: sent") || strings.Count(out, "NOT SENT") != 2 || strings.Count(out, "they lack secretsmanager:GetSecretValue") != 2 {
		t.Errorf("%v: %s", err, out)
	}
	if out, err := w.says(alertTestCmd{Sync: "nothings", Stack: "prod"}); err == nil || !strings.Contains(err.Error(), `there is no sync "nothings"`) {
		t.Errorf("%v: %s", err, out)
	}
}
