package slack_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/slack"
	sim "github.com/penstock-data/penstock/shared/sandbox/slack"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A row of a model becomes a message. Here Slack is the simulated one.
func Example() {
	workspace, err := sim.New(sim.Config{Token: "xoxb-example", Channels: []sim.Channel{{ID: "C0HEALTH01", Name: "customer-health"}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(workspace)
	defer server.Close()

	connection := syncdef.Connection{Name: "slack_prod", Type: "slack", URL: server.URL}
	account, err := slack.Vendor.Open(dest.Config{
		Loopback:   true, // the simulator
		Connection: connection,
		Secret: func(context.Context) (map[string]string, error) {
			return map[string]string{"token": "xoxb-example"}, nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	definition := syncdef.Definition{
		Sync: "slack_alerts", Connection: "slack_prod", Object: "message", Operation: syncdef.Insert,
		Fields:  []syncdef.Field{{Source: "message", Destination: "text"}},
		Options: []byte(`{"channel":"#customer-health","digest_over":20}`),
	}
	destination, err := account.Open(syncdef.NewVersion(definition, slack.Kind.RulesOf(&definition, &connection), time.Unix(0, 0)))
	if err != nil {
		fmt.Println(err)
		return
	}

	batch := dest.Batch{Run: "slack_alerts.1", Records: []dest.Record{
		{Key: "a-1", RecordID: "a-1", Fields: []dest.Field{{Name: "text", Value: []byte(`":warning: *Health* of <Müller & Co> is low"`)}}},
		{Key: "a-2", RecordID: "a-2", Fields: []dest.Field{{Name: "text", Value: []byte(`" "`)}}},
	}}
	for _, call := range destination.Calls(batch, 0) {
		outcomes, err := destination.Push(context.Background(), batch, call)
		if err != nil {
			fmt.Println(err)
			return
		}
		for i, o := range outcomes {
			fmt.Printf("%s: delivered %t, created %t, code %q\n", batch.Records[call.Records[i]].RecordID, o.Status == dest.Delivered, o.Created, o.Code)
		}
	}
	fmt.Println(workspace.Messages()[0].Text)
	// Output:
	// a-1: delivered true, created true, code ""
	// a-2: delivered false, created false, code "no_text"
	// :warning: *Health* of &lt;Müller &amp; Co&gt; is low
}
