//go:build cgo

package sample

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// message is a record of a channel, and digest one of several rows.
func message(id, text string) account {
	return account{"text": text, "event_type": "penstock_row", "event_payload": fmt.Sprintf(`{"run":"slack_alerts.q1","sync":"slack_alerts","record_id":%q}`, id)}
}

func digest(rows int) account {
	return account{"event_type": "penstock_digest", "event_payload": fmt.Sprintf(`{"run":"slack_alerts.q1","sync":"slack_alerts","channel":"C1","rows":%d}`, rows)}
}

func TestCompareAlerts(t *testing.T) {
	db := warehouse(t)
	now := time.Now().Add(-5 * time.Minute)
	generate(t, db, 1000, now)
	rescore(t, db, now.Add(time.Minute))
	alerts, err := readAlerts(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	var all []account
	for at, of := range alerts {
		for _, a := range of {
			if strings.Count(a.id, ":") != 4 || !strings.Contains(a.text, "\n") || strings.Contains(a.text, `\n`) {
				t.Errorf("record id %s, text %s", a.id, a.text)
			}
			m := message(a.id, sent(a.text))
			if at == now.Unix() {
				all = append([]account{m}, all...) // the first pass's come first
			} else {
				all = append(all, m)
			}
		}
	}
	escaped := 0
	for _, m := range all {
		if strings.Contains(m["text"], "&lt;") && strings.Contains(m["text"], "&amp;") && !strings.ContainsAny(m["text"], "<>") {
			escaped++
		}
	}
	if escaped == 0 {
		t.Error("no alert's text has markup that is to be escaped: the comparison proves nothing of it")
	}
	old, fresh := all[:2], all[2:]
	if len(fresh) != 6 {
		t.Fatalf("%d alerts in the second pass", len(fresh))
	}
	join := func(parts ...[]account) (out []account) {
		for _, p := range parts {
			out = append(out, p...)
		}
		return out
	}
	for _, c := range []struct {
		name       string
		digestOver int
		messages   []account
		total      int
		want       string
	}{
		{"one each", 20, all, 0, ""},
		{"a digest of all that was queued", 7, join(old, []account{digest(8)}), 0, ""},
		{"a digest of the new ones", 7, join(old, []account{digest(6)}), 0, ""},
		{"a digest of another number", 7, join(old, []account{digest(5)}), 2, "8 rows (6 new)"},
		{"no digest below the limit", 20, join(old, []account{digest(8)}), 7, "1 message"},
		{"no single messages above it", 5, all, 1, "one digest of 6 alerts"},
		{"one twice", 20, join(all, all[3:4]), 1, "1 message"},
		{"one missing", 20, all[:7], 1, "1 message"},
		{"another text", 20, join(all[:7], []account{{"text": "?", "event_type": "penstock_row", "event_payload": all[7]["event_payload"]}}), 1, all[7]["text"]},
		{"one of no alert", 20, join(all, []account{message("cust_001:X:2026-01-05 12:00:00", "?")}), 1, "no message"},
		{"a stranger's", 20, join(all, []account{{"text": "hello"}}), 1, "a message of slack_alerts"},
		{"a second digest", 7, join(old, []account{digest(8), digest(8)}), 1, "no digest"},
	} {
		def := &syncdef.Definition{Sync: Alerts, Options: fmt.Appendf(nil, `{"digest_over":%d}`, c.digestOver)}
		got, err := Compare(t.Context(), db, def, "slack_health_alerts", each(c.messages))
		if err != nil {
			t.Fatal(err)
		}
		if got.Total != c.total || len(got.Differences) != c.total || c.total > 0 && got.Differences[0].Want != c.want {
			t.Errorf("%s: %d differences: %v", c.name, got.Total, got.Differences)
		}
	}
}
