//go:build cgo

package sql_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
)

// remembered is what the warehouse remembers: key, score, and whether it is gone.
func (r *road) remembered(want ...string) {
	r.Helper()
	got := read(r.T, r.w.DB(), "SELECT key || ' ' || coalesce(row_data->>'score', '-') || CASE WHEN gone IS NULL THEN '' ELSE ' gone' END FROM penstock_pushed ORDER BY ALL")
	if d := cmp.Diff(want, got); d != "" {
		r.Error(d)
	}
}

func (r *road) refresh() {
	r.Helper()
	r.exec("CALL penstock_refresh()")
}

// Only what differs is pushed: by the columns that the definition reads, after a value
// went there and back, and until it has arrived.
func TestChangedOnly(t *testing.T) {
	r := selecting(t, "{changed_only: true}", "note VARCHAR, should_delete_from_destination BOOLEAN DEFAULT FALSE")
	r.exec("INSERT INTO health (email, score, note) VALUES ('x@a.com', 1, 'n'), ('x@b.com', 2, 'n'), ('x@nowhere.com', 3, 'n'), (NULL, 4, 'n')")
	r.same(r.ran("incremental"), "all: x@a.com x@b.com x@nowhere.com; 2 sent") // and one without an email is rejected
	r.refresh()
	r.remembered("x@a.com 1.0", "x@b.com 2.0")
	r.same(r.ran("incremental"), "changed: x@nowhere.com; 0 sent")
	r.exec("UPDATE health SET note = 'other'") // is not read
	r.same(r.ran("incremental"), "changed: x@nowhere.com; 0 sent")
	r.exec("UPDATE health SET score = 5 WHERE email = 'x@a.com'")
	r.same(r.ran("incremental"), "changed: x@a.com x@nowhere.com; 1 sent")
	r.exec("UPDATE health SET score = 1 WHERE email = 'x@a.com'") // back, before anybody refreshed
	r.same(r.ran("incremental"), "changed: x@a.com x@nowhere.com; 1 sent")
	r.exec("DELETE FROM health WHERE email IS NULL OR email = 'x@nowhere.com'")
	r.same(r.ran("incremental"), "changed: -; 0 sent")
	r.refresh()
	r.remembered("x@a.com 1.0", "x@b.com 2.0")
	// What leaves the model leaves the table, and is no delete.
	r.exec("DELETE FROM health WHERE email = 'x@b.com'")
	r.same(r.ran("incremental"), "changed: -; 0 sent")
	r.refresh()
	r.remembered("x@a.com 1.0")
	r.exec("INSERT INTO health (email, score, note) VALUES ('x@b.com', 2, 'n')")
	r.same(r.ran("incremental"), "changed: x@b.com; 0 sent")
}

// full and reset begin anew; losing the table costs calls alone.
func TestChangedOnlyAnew(t *testing.T) {
	r := selecting(t, "{changed_only: true}", "note VARCHAR")
	r.exec("INSERT INTO health VALUES ('x@a.com', 1, ''), ('x@b.com', 2, '')")
	r.same(r.ran("incremental"), "all: x@a.com x@b.com; 2 sent")
	r.same(r.ran("incremental"), "changed: -; 0 sent")
	r.same(r.ran("full"), "all: x@a.com x@b.com; 2 sent")
	r.same(r.ran("incremental"), "changed: -; 0 sent")
	r.exec("SELECT penstock_reset('accounts')")
	r.same(r.ran("incremental"), "all: x@a.com x@b.com; 0 sent")
	r.same(r.ran("incremental"), "changed: -; 0 sent")
	r.exec("DELETE FROM penstock_pushed")
	r.same(r.ran("incremental"), "changed: x@a.com x@b.com; 0 sent")
	r.same(r.ran("incremental"), "changed: -; 0 sent")
	r.exec("DROP TABLE penstock_pushed")
	r.same(r.ran("incremental"), "changed: x@a.com x@b.com; 0 sent")
	r.exec("DROP TABLE penstock_pushing")
	r.same(r.ran("incremental"), "changed: x@a.com x@b.com; 0 sent")
	r.same(r.ran("incremental"), "changed: -; 0 sent")
	// A run that is not complete may have sent what is not remembered.
	r.exec("UPDATE health SET score = 7 WHERE email = 'x@a.com'")
	r.refuse["/finish"] = 1
	if _, err := r.call("penstock_run('accounts')"); err == nil {
		t.Fatal("no error")
	}
	clear(r.refuse)
	r.exec("UPDATE health SET score = 1 WHERE email = 'x@a.com'")
	if got := r.ran("incremental"); got[:4] != "all:" {
		t.Error(got)
	}
	if got := r.world.Vendors.Accounts("Health_Score__c")["https://a.com"]; got != "1.0" {
		t.Errorf("the account has %s", got)
	}
}

// An error that opens later, in a push of somebody else, makes its row be pushed again.
func TestChangedOnlyAfterALaterError(t *testing.T) {
	r := selecting(t, "{changed_only: true}", "note VARCHAR")
	r.exec("INSERT INTO health VALUES ('x@a.com', 1, ''), ('x@b.com', 2, '')")
	r.ran("incremental")
	r.same(r.ran("incremental"), "changed: -; 0 sent")
	r.exec("SELECT penstock_push('accounts', {'email': 'x@b.com', 'score': 1e99})") // too large for the field
	r.settle()
	r.settle()
	if got := r.ran("incremental"); got != "changed: x@b.com; 0 sent" && got != "changed: x@b.com; 1 sent" {
		t.Errorf("%s; %v", got, read(t, r.w.DB(), "SELECT error_type, error_message FROM reverse_etl_sync_errors"))
	}
	r.same(r.ran("incremental"), "changed: -; 0 sent")
}

// store_source: none keeps hashes alone.
func TestChangedOnlyKeepsHashes(t *testing.T) {
	r := selecting(t, "{changed_only: true, always: \"score > 8 every 24h\", order_by: score desc}", "note VARCHAR", "store_source: none\n")
	r.exec("INSERT INTO health VALUES ('x@a.com', 2, ''), ('x@b.com', 9, '')")
	r.same(r.ran("incremental"), "all: x@b.com x@a.com; 2 sent")
	r.same(r.ran("incremental"), "changed: -; 0 sent")
	r.remembered("x@a.com -", "x@b.com -")
	r.exec("UPDATE health SET score = 3 WHERE score = 2")
	r.same(r.ran("incremental"), "changed: x@a.com; 1 sent")
	r.same(r.ran("incremental"), "changed: -; 0 sent")
	r.world.Clock.Advance(24 * 60 * 60e9)
	r.same(r.ran("incremental"), "changed: x@b.com; 1 sent")
	r.same(r.ran("incremental"), "changed: -; 0 sent")
}

// counting counts the keys that are looked up in the ledger.
type counting struct {
	deliver.Ledger
	keys int
}

func (c *counting) Entries(ctx context.Context, target string, keys []string) (map[string]ledger.Entry, error) {
	c.keys += len(keys)
	return c.Ledger.Entries(ctx, target, keys)
}

// A run with 1% changed pushes, looks up and sends under 2% of what a full one does.
func TestChangedOnlyCosts(t *testing.T) {
	const rows = 3000
	r := selecting(t, "{changed_only: true}", "note VARCHAR")
	var sites []string
	for n := range rows {
		sites = append(sites, fmt.Sprintf("https://s%d.com", n))
	}
	r.world.Vendors.SeedAccounts(t, sites...)
	r.exec(fmt.Sprintf("INSERT INTO health SELECT 'x@s' || n || '.com', n %% 100, '' FROM range(%d) t(n)", rows))
	d := r.world.Deliver("salesforce")
	count := &counting{Ledger: d.Ledger}
	d.Ledger = count
	cost := func(mode string) (received, sent, looked int64) {
		count.keys = 0
		r.ran(mode)
		c := r.last("accounts").Counts
		return c.Received, c.Delivered, int64(count.keys)
	}
	received, sent, looked := cost("full")
	if received != rows || sent != rows || looked != rows {
		t.Fatalf("a full run: %d received, %d sent, %d looked up", received, sent, looked)
	}
	r.exec(fmt.Sprintf("UPDATE health SET score = score + 100 WHERE email IN (SELECT 'x@s' || n || '.com' FROM range(0, %d, 100) t(n))", rows))
	received, sent, looked = cost("incremental")
	if sent != rows/100 || received >= rows/50 || looked >= rows/50 {
		t.Errorf("1%% changed: %d received, %d sent, %d looked up; want under %d", received, sent, looked, rows/50)
	}
	if received, sent, looked = cost("incremental"); received+sent+looked != 0 {
		t.Errorf("nothing changed: %d received, %d sent, %d looked up", received, sent, looked)
	}
}
