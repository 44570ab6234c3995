package yamlfile_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// What notifications may say, and what is said of those that they may not.
func TestNotifications(t *testing.T) {
	conns := syncdef.Connections{{Name: "crm", Type: "crm"}, {Name: "chat", Type: "chat"}, {Name: "chat_eu", Type: "chat"}, {Name: "pager", Type: "pager"}}
	kinds := append([]syncdef.Kind{{Name: "chat", Posts: true}, {Name: "pager", Posts: true}, {Name: "mute"}}, kinds...)
	const head = "connection: crm\ndestination_object: Account\nmatching_strategy: external_id\nmatch: {source: id, destination: Ext__c}\n" +
		"field_mappings: [{source: a, destination: B__c}]\nnotifications:\n"
	for _, c := range []struct{ src, want string }{
		{"  - {type: email, recipients: a@b.co}", ""},
		{"  - {type: email, recipients: [a@b.co, c@d.example], conditions: [sync_failure, high_error_rate]}", ""},
		{"  - {type: chat, connection: chat, channel: \"#a\"}", ""},
		{"  - {type: pager, channel: a}", ""},
		{"  - {type: webhook}", ""},
		{"  - {type: webhook, secret: pager_duty, conditions: [quota, gate_blocked, stale]}", ""},
		{"  - {type: webhook, secret: ../key}", `s.yaml:7:29: "../key" cannot name a secret; use a small letter, then up to 62 small letters, digits, _ and -`},
		{"  - {type: webhook, channel: a}", "s.yaml:7:21: channel is not for a webhook; its secret holds the address"},
		{"  - {type: email, recipients: a@b.co, secret: a}", "s.yaml:7:39: secret is for a webhook; a connection has its own in connections.yaml"},
		{"  - {type: email}", "s.yaml:7:5: recipients is missing; list the addresses"},
		{"  - {recipients: a@b.co}", "s.yaml:7:5: type is missing; write email, webhook, or a destination type that posts messages"},
		{"  - {type: email, recipients: nobody}", `s.yaml:7:31: recipients: "nobody" is no email address; write it as name@company.com`},
		{"  - {type: email, recipients: \"Ann <a@b.co>\"}", `s.yaml:7:31: recipients: "Ann <a@b.co>" is no email address; write it as name@company.com`},
		{"  - {type: email, recipients: [" + strings.Repeat("a@b.co, ", 50) + "]}", ""},
		{"  - {type: email, recipients: [" + strings.Repeat("a@b.co, ", 51) + "]}", "s.yaml:7:31: recipients has 51 addresses, at most 50 are taken; make a mailing list for them"},
		{"  - {type: email, recipients: a@b.co, channel: x}", "s.yaml:7:39: channel is for notifications that are posted; an email has recipients"},
		{"  - {type: e-mail, recipients: a@b.co}", `s.yaml:7:12: type: "e-mail" is not known; did you mean email?`},
		{"  - {type: mute, channel: a}", `s.yaml:7:12: type: "mute" is not known; allowed: email, webhook, chat, pager`},
		{"  - {type: email, recipients: a@b.co, conditions: [sync_failures]}", `s.yaml:7:52: conditions: "sync_failures" is not known; did you mean sync_failure?`},
		{"  - {type: chat, channel: a}", "s.yaml:7:5: connection is missing; of type chat there are chat, chat_eu"},
		{"  - {type: chat, connection: chat}", "s.yaml:7:5: channel is missing; say where it is posted"},
		{"  - {type: chat, connection: crm, channel: a}", `s.yaml:7:30: connection: "crm" is not known; allowed: chat, chat_eu`},
		{"  - {type: chat, connection: chat, channel: a, recipients: a@b.co}", "s.yaml:7:48: recipients is for email; chat posts to a channel"},
	} {
		_, _, err := yamlfile.Parse("s.yaml", []byte(head+c.src+"\n"), conns, kinds)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: want -, got +\n%s", c.src, diff)
		}
	}
}
