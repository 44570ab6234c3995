package sample

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// payload is what the messages' metadata says of them.
type payload struct {
	Sync     string `json:"sync"`
	RecordID string `json:"record_id"`
	Rows     int    `json:"rows"`
}

// compareAlerts compares the messages with the alerts of the view: the alerts of each
// scoring are there once each with the model's text escaped, or, where the run's rows
// are more than the sync's digest_over, in one digest that counts them. A digest
// counts all rows that its run queued, the earlier alerts that the view still
// holds included, or the new ones only.
func compareAlerts(ctx context.Context, db *sql.DB, def *syncdef.Definition, messages iter.Seq[Record]) (Comparison, error) {
	s := slackComparison{texts: map[string][]string{}}
	var options struct {
		DigestOver int `json:"digest_over"`
	}
	if err := json.Unmarshal(def.Options, &options); err != nil {
		return s.out, fmt.Errorf("read the options of sync %s: %w", def.Sync, err)
	}
	digestOver := options.DigestOver
	for m := range messages {
		s.sort(m)
	}
	alerts, err := readAlerts(ctx, db)
	if err != nil {
		return Comparison{}, err
	}
	all, err := passes(ctx, db)
	if err != nil {
		return Comparison{}, err
	}
	total := 0
	for _, pass := range all {
		total += pass.Alerts()
		s.pass(pass, alerts[pass.At.Unix()], total, digestOver)
	}
	for id, texts := range s.texts {
		s.differ(Difference{Record: id, Want: "no message", Got: strconv.Itoa(len(texts)) + " messages"})
	}
	for _, rows := range s.digests {
		s.differ(Difference{Want: "no digest", Got: fmt.Sprintf("a digest of %d rows", rows)})
	}
	return s.out, nil
}

// A slackComparison takes away what it finds in its place; what is left is too much.
type slackComparison struct {
	texts   map[string][]string // by record id
	digests []int               // rows, in the order of sending
	out     Comparison
}

func (s *slackComparison) differ(d Difference) {
	if s.out.Total++; len(s.out.Differences) < shown {
		s.out.Differences = append(s.out.Differences, d)
	}
}

// sort puts a message with its kind: its text, and its metadata's event_type
// (penstock_row or penstock_digest) and event_payload, a JSON object.
func (s *slackComparison) sort(m Record) {
	s.out.Records++
	payloadText, _ := m.Text("event_payload")
	kind, _ := m.Text("event_type")
	text, _ := m.Text("text")
	var p payload
	err := json.Unmarshal(payloadText, &p)
	switch {
	case err == nil && p.Sync == Alerts && string(kind) == "penstock_row":
		s.texts[p.RecordID] = append(s.texts[p.RecordID], string(text))
	case err == nil && p.Sync == Alerts && string(kind) == "penstock_digest":
		s.digests = append(s.digests, p.Rows)
	default:
		s.differ(Difference{Record: "message " + m.ID(), Want: "a message of " + Alerts, Got: "event " + strconv.Quote(string(kind))})
	}
}

// pass compares the alerts of one scoring; total are those of all up to it.
func (s *slackComparison) pass(pass Pass, alerts []alert, total, digestOver int) {
	if len(alerts) != pass.Alerts() {
		s.differ(Difference{Field: "alerts of pass " + strconv.Itoa(pass.Number), Want: strconv.Itoa(pass.Alerts()), Got: strconv.Itoa(len(alerts)) + " in the view"})
	}
	found := 0
	for _, a := range alerts {
		found += len(s.texts[a.id])
	}
	if n := len(alerts); n > 0 && found == 0 && total > digestOver {
		if len(s.digests) > 0 && (s.digests[0] == total || s.digests[0] == n) {
			s.out.Compared += n
			s.digests = s.digests[1:]
			return
		}
		s.differ(Difference{Field: "digest of pass " + strconv.Itoa(pass.Number), Want: fmt.Sprintf("%d rows (%d new)", total, n), Got: fmt.Sprintf("digests of %v rows", s.digests)})
		return
	}
	if found > 0 && len(alerts) > digestOver {
		s.differ(Difference{Field: "digest of pass " + strconv.Itoa(pass.Number), Want: fmt.Sprintf("one digest of %d alerts", len(alerts)), Got: fmt.Sprintf("%d messages", found)})
	}
	for _, a := range alerts {
		s.one(a)
	}
}

// one compares an alert that has a message of its own.
func (s *slackComparison) one(a alert) {
	texts := s.texts[a.id]
	delete(s.texts, a.id)
	s.out.Compared++
	switch {
	case len(texts) != 1:
		s.differ(Difference{Customer: a.customer, Record: a.id, Want: "1 message", Got: strconv.Itoa(len(texts))})
	case texts[0] != sent(a.text):
		s.differ(Difference{Customer: a.customer, Record: a.id, Field: "text", Want: sent(a.text), Got: texts[0]})
	}
}

// sent is a column's text as it is posted: the three characters of Slack's markup are
// escaped (Slack, "Formatting text for app surfaces", "Escaping text").
func sent(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

// An alert is one row of the view, id as the sync's record_id makes it.
type alert struct{ customer, id, text string }

// readAlerts reads the alerts of every scoring, by its time in Unix seconds. The
// view's own alerts are of the last hour.
func readAlerts(ctx context.Context, db *sql.DB) (map[int64][]alert, error) {
	rows, err := db.QueryContext(ctx, `SELECT customer_id, concat_ws(':', customer_id, alert_type, CAST(alert_time AS VARCHAR)), slack_message,
		CAST(epoch(alert_time) AS BIGINT) FROM slack_health_alerts ORDER BY ALL`)
	if err != nil {
		return nil, fmt.Errorf("compare %s: %w", Alerts, err)
	}
	defer rows.Close()
	out := map[int64][]alert{}
	for rows.Next() {
		var a alert
		var at int64
		if err := rows.Scan(&a.customer, &a.id, &a.text, &at); err != nil {
			return nil, fmt.Errorf("compare %s: %w", Alerts, err)
		}
		out[at] = append(out[at], a)
	}
	return out, rows.Err()
}
