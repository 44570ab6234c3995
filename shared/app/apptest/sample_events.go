package apptest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/penstock-data/penstock/events"
	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/sandbox"
)

// A Sample is an SQS event of events/ and what has to be there before it.
type Sample struct {
	Name     string
	Function string
	// Before queues what the event's messages are taken from.
	Before func(t testing.TB, w *World)
	// Pick makes the event of the messages that are queued then.
	Pick func(queued []envelope.Delivery) []envelope.Delivery
	// World is where they are queued; nil is New.
	World func(t testing.TB) *World
}

// NewWorld makes a World that the sample's event can be queued in.
func (s Sample) NewWorld(t testing.TB) *World {
	t.Helper()
	if s.World != nil {
		return s.World(t)
	}
	return New(t)
}

// Samples are the SQS events.
func Samples() []Sample {
	all := func(queued []envelope.Delivery) []envelope.Delivery { return queued }
	return []Sample{
		{Name: "sqs-single", Function: "salesforce", Before: pushes("push"), Pick: func(q []envelope.Delivery) []envelope.Delivery { return q[:1] }},
		{Name: "sqs-batch", Function: "salesforce", Before: pushes("push", "push-gzip"), Pick: all},
		{Name: "sqs-duplicate", Function: "salesforce", Before: pushes("push"), Pick: func(q []envelope.Delivery) []envelope.Delivery {
			return []envelope.Delivery{q[0], q[0]}
		}},
		{Name: "sqs-poison", Function: "salesforce", Before: pushes("push"), Pick: func(q []envelope.Delivery) []envelope.Delivery {
			poison := envelope.Delivery{Group: "somebody.else", Receives: 1, SentAt: q[0].SentAt, Body: []byte(`{"hello":"this was meant for another queue"}`)}
			return []envelope.Delivery{poison, q[0]}
		}},
		{Name: "sqs-replay", Function: "salesforce", Before: failed, Pick: all},
		{Name: "sqs-slack", Function: "slack", Before: pushes("push-slack"), Pick: all},
		{Name: "sqs-hubspot", Function: "hubspot", Before: pushes("push-hubspot"), Pick: all, World: hubSpotWorld},
		{Name: "sqs-amplitude", Function: "amplitude", Before: pushes("push-amplitude"), Pick: all, World: amplitudeWorld},
		{Name: "sqs-intercom", Function: "intercom", Before: pushes("push-intercom"), Pick: all, World: intercomWorld},
	}
}

// pushes are sample events of the push function, in this order.
func pushes(names ...string) func(testing.TB, *World) {
	return func(t testing.TB, w *World) {
		t.Helper()
		for _, name := range names {
			for i, a := range Answers(t, w.Invoke(t, "push", Event(t, name))) {
				if a.Status != string(row.Queued) {
					t.Fatalf("%s: row %d was answered %+v", name, i, a)
				}
			}
		}
	}
}

// failed is the sample push whose rows met a lock that somebody else held, and
// which the sweeper has handed in again since.
func failed(t testing.TB, w *World) {
	t.Helper()
	pushes("push")(t, w)
	core := w.Vendors.Salesforce.Core()
	err := core.AddFault(sandbox.Fault{
		Match: "PATCH", Count: -1, FailRecords: []string{"85"}, Code: "UNABLE_TO_LOCK_ROW", Message: "unable to obtain exclusive access to this record",
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Vendors.seedOnce(t, "acmecorp.com")
	w.Drain(t, "salesforce")
	core.ClearFaults()
	w.Clock.Advance(time.Minute)
	w.Invoke(t, "sweep", Tick())
}

// Queued are the messages that a sample's event is made of, queued in this World,
// with the ids and receipts of the sample events.
func (w *World) Queued(t testing.TB, s Sample) []envelope.Delivery {
	t.Helper()
	s.Before(t, w)
	queued, err := w.Store.Receive(t.Context(), s.Function, 10, 0)
	if err != nil {
		t.Fatal(err)
	}
	picked := slices.Clone(s.Pick(queued))
	for i := range picked {
		picked[i].ID = fmt.Sprintf("3d7b3f0a-5c1e-4b7e-9f00-%012d", i+1)
		picked[i].Receipt = fmt.Sprintf("AQEBsample%d==", i+1)
	}
	return picked
}

// PushSlack is the sample push-slack: two alerts of one query.
func PushSlack() []byte {
	const query = "01b1a2c3-0604-8f1e-0000-000000000007"
	return Request("push", query, query+":1:1:0:0",
		[]string{`"slack_alerts"`, `{"ALERT_TIME":"2024-01-15T10:40:00Z","ALERT_TYPE":"ESCALATED_TO_HIGH_RISK","CUSTOMER_ID":"cust_003","SLACK_MESSAGE":"ENTERPRISE escalated to high risk: 15%"}`},
		[]string{`"slack_alerts"`, `{"ALERT_TIME":"2024-01-15T10:40:00Z","ALERT_TYPE":"NEW_HIGH_RISK_CUSTOMER","CUSTOMER_ID":"cust_005","SLACK_MESSAGE":"NEWCO is a new customer at high risk"}`},
	)
}

// Health is a row of the sample's sync, as the arguments of penstock_push.
func Health(syncOrRun, email string, score float64) []string {
	return []string{fmt.Sprintf("%q", syncOrRun), fmt.Sprintf(
		`{"EMAIL":%q,"HEALTH_SCORE_PCT":%v,"CUSTOMER_HEALTH_STATUS":"Healthy","USAGE_SCORE_PCT":1,"SUPPORT_SCORE_PCT":null,"HEALTH_SCORE_UPDATED_DATE":"2024-01-15 10:30:00"}`,
		email, score)}
}

// Event reads a sample event.
func Event(t testing.TB, name string) []byte {
	t.Helper()
	switch name { // also when their files are still to be written
	case "push-slack":
		return PushSlack()
	case "push-amplitude":
		return PushAmplitude()
	case "push-hubspot":
		return PushHubSpot()
	case "push-intercom":
		return PushIntercom()
	}
	raw, err := events.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
