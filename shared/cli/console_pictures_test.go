package cli

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
)

// pictured are the syncs of the README's pictures.
var pictured = map[string]string{
	"account_health": `
connection: salesforce_prod
destination_object: Account
matching_strategy: external_id
match: {source: id, destination: Customer_Id__c}
sync_frequency: hourly
field_mappings:
  - {source: name, destination: Name, data_type: string}
  - {source: score, destination: Health_Score__c, data_type: number}
notifications: [{type: slack, connection: slack_prod, channel: "#data-alerts", conditions: [partial_failure]}]`,
	"contact_worth": `
connection: hubspot_prod
destination_object: contacts
matching_strategy: email
match: {source: email, destination: email}
sync_frequency: every 30m
field_mappings:
  - {source: score, destination: ltv_usd, data_type: number, max: 100}`,
	"newsletter": `
connection: hubspot_prod
destination_object: contacts
matching_strategy: email
match: {source: email, destination: email}
sync_frequency: daily
field_mappings:
  - {source: name, destination: firstname, data_type: string}`,
	"product_usage": `
connection: amplitude_prod
destination_object: user
matching_strategy: external_id
match: {source: id, destination: user_id}
sync_frequency: hourly
field_mappings:
  - {source: score, destination: score, data_type: number}`,
}

// picturedFolder writes them into a folder.
func picturedFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	connections, err := os.ReadFile("../../sql/syncs/connections.yaml")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"connections.yaml": string(connections)}
	for name, text := range pictured {
		files[name+".yaml"] = "sync: " + name + text + "\nrecord_id: id\nincremental: {cursor: updated_at}\nlanes: 1\n"
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// customers are rows of any of the syncs; those at every so many have a score that is too
// great for contact_worth.
func customers(n, wrong, version int) (rows []map[string]any) {
	for i := range n {
		score := (i*7+version)%89 + 10
		if wrong > 0 && i%wrong == 3 {
			score = 140
		}
		rows = append(rows, map[string]any{"id": fmt.Sprintf("cust_%04d", i), "name": fmt.Sprintf("Customer %d", i), "email": mailbox(i), "score": score, "updated_at": "2026-11-26 08:00:00"})
	}
	return rows
}

// TestPicturesInBrowser looks at syncs of which some are wrong: the overview tells which, and
// why. PENSTOCK_PICTURES keeps what the README shows.
func TestPicturesInBrowser(t *testing.T) {
	b := openTab(t)
	syncs := picturedFolder(t)
	t.Chdir(t.TempDir()) // the page shows the folder's name as it was given
	s := newStack(t, "penstock-data", syncs, 24*time.Minute)
	sizes := []int{140, 152, 149, 160, 171, 158, 163, 177, 180, 174, 188, 190}
	for version, n := range sizes {
		last := version == len(sizes)-1
		for i, name := range slices.Sorted(maps.Keys(pictured)) {
			wrong := 0
			switch {
			case name == "contact_worth" && version > 8:
				wrong = 23
			case name == "account_health" && last:
				s.refusing(t, "salesforce", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Health Score: the account is locked by its owner", refusedNames(40)...)
			}
			id := s.begin(t, name)
			rows := n - 30*i
			s.push(t, id, customers(rows, wrong, version)...)
			s.finish(t, id, rows)
		}
	}
	ctx := runs.As(t.Context(), "maria")
	if _, err := s.machine.Runs.Pause(ctx, "newsletter", "the list is being cleaned up"); err != nil {
		t.Fatal(err)
	}
	b.look(t, 1180, "light")
	b.do(t, chromedp.Navigate(s.page.url()), chromedp.WaitReady("#live"))
	row := func(name string) string { return `document.getElementById("sync-` + name + `").innerText` }
	b.until(t, row("account_health")+`.includes("High error rate")`)
	b.until(t, row("account_health")+`.includes("run partial since")`)
	b.until(t, row("newsletter")+`.includes("the list is being cleaned up")`)
	if text := ask[string](t, b, row("contact_worth")); !strings.Contains(text, "Healthy") {
		t.Errorf("contact_worth: %s", text)
	}
	if first := ask[string](t, b, `document.querySelector("tbody tr").id`); first != "sync-account_health" {
		t.Errorf("the worst is %s", first)
	}
	b.picture(t, "console-overview", true)
	b.do(t, chromedp.Navigate(s.base+"/errors"), chromedp.WaitReady("tbody tr"))
	if text := ask[string](t, b, `document.querySelector("tbody").innerText`); !strings.Contains(text, "FIELD_CUSTOM_VALIDATION_EXCEPTION") || !strings.Contains(text, "above_max") {
		t.Errorf("these errors are listed:\n%s", text)
	}
	b.picture(t, "console-errors", false)
	b.do(t, chromedp.Navigate(s.base+"/sync/account_health"), chromedp.WaitReady(".chart"))
	b.picture(t, "console-sync", true)
	b.quiet(t)
}

// refusedNames are ids of the first customers.
func refusedNames(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("cust_%04d", i))
	}
	return names
}
