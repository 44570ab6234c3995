package slack_test

import (
	"fmt"
	"html"
	"slices"
	"testing"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/desttest"
	"github.com/penstock-data/penstock/shared/dest/slack"
	"github.com/penstock-data/penstock/shared/sandbox"
	sim "github.com/penstock-data/penstock/shared/sandbox/slack"
	"github.com/penstock-data/penstock/shared/syncdef"
)

func TestSuite(t *testing.T) {
	desttest.Run(t, func(t *testing.T) desttest.Subject {
		w := newWorld(t, func(s *sim.Config, w *world) {
			s.Spacing = -1
			w.opts.DigestOver = 10_000
		})
		w.column()
		w.open()
		return desttest.Subject{
			Vendor: slack.Vendor, Config: w.cfg, Version: syncdef.NewVersion(w.def, slack.Kind.RulesOf(&w.def, &w.cfg.Connection), w.clock.now()),
			Core:     w.sim.Core(),
			Record:   func(i int) dest.Record { return rec(fmt.Sprintf("customer-%d", i), "", fmt.Sprintf("message <%d>", i)) },
			Stored:   w.stored,
			Count:    func() int { return len(w.sim.Messages()) },
			Creates:  true,
			Identity: "T0PENSTOCK",
			Text:     "text",
			Bad: func(r dest.Record) dest.Record {
				r.Fields = append(slices.Clone(r.Fields), dest.Field{Name: "channel", Value: quote("#old")})
				return r
			},
			BadCode: "is_archived",
			Write:   "chat.postMessage", Query: "conversations.history",
			Throttle: sandbox.Fault{Status: 429, Headers: map[string]string{"Retry-After": "1"}, Body: `{"ok":false,"error":"ratelimited"}`},
			Quota:    dest.QuotaSecond,
			Expired:  sandbox.Fault{Match: "chat.postMessage", Status: 200, Body: `{"ok":false,"error":"token_expired"}`},
			Refusal:  sandbox.Fault{Status: 200, Body: `{"ok":false,"error":"invalid_auth"}`},
		}
	})
}

// stored is what a reader sees of a record's message.
func (w *world) stored(r dest.Record) map[string]string {
	for _, m := range w.sim.Messages() {
		if string(m.Metadata.EventPayload) == fmt.Sprintf(`{"record_id":%s,"run":"suite:1","sync":"slack_alerts"}`, quote(r.RecordID)) {
			return map[string]string{"text": html.UnescapeString(m.Text), "channel": m.ChannelName}
		}
	}
	return nil
}
