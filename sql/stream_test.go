//go:build cgo

package sql_test

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/app/apptest"
	"github.com/penstock-data/penstock/shared/run"
)

// changesQuery is the sample's query over a stream, as it stands there.
const changesQuery = `
SELECT
    customer_id,
    email,
    health_score * 100 as health_score_pct,
    CASE
        WHEN METADATA$ACTION = 'DELETE' THEN 'delete'
        ELSE 'upsert'
    END as sync_action,
    METADATA$ACTION as change_type,
    METADATA$ISUPDATE as is_update
FROM customer_health_changes
WHERE METADATA$ACTION IN ('INSERT', 'UPDATE', 'DELETE')`

// streaming is a road with a sync of a stream, which is a table of changes, or the query
// over it.
func streaming(t *testing.T, stream string) *road {
	t.Helper()
	r := newRoad(t, map[string]string{"accounts": "destination_object: Account\nmatching_strategy: email_domain\nmatch: {source: email, destination: Website}\nrecord_id: customer_id\n" +
		"model: health\non_missing: create\nfield_mappings: [{source: customer_id, destination: Name}, {source: health_score_pct, destination: Health_Score__c, data_type: number}]\nincremental: {stream: " + stream + "}\n"})
	r.exec(`CREATE TABLE customer_health_changes (customer_id VARCHAR, email VARCHAR, health_score DECIMAL(3, 2), health_score_pct INTEGER, "METADATA$ACTION" VARCHAR, "METADATA$ISUPDATE" BOOLEAN)`)
	r.exec("CREATE TABLE health AS SELECT 'c1' AS customer_id, 'x@a.com' AS email, 10 AS health_score_pct")
	r.exec("CREATE VIEW changes_of_health AS " + changesQuery)
	r.world.Clock.Advance(time.Since(apptest.Start))
	return r
}

// change appends a row to the table of changes.
func (r *road) change(id, email string, score float64, action string, update bool) {
	r.Helper()
	r.exec("INSERT INTO customer_health_changes VALUES (?, ?, ?, ?, ?, ?)", id, email, score, int(score*100), action, update)
}

// scoreOfB is the score of b.com's account, "" where it has none or there is none.
func (r *road) scoreOfB() string {
	all := r.world.Vendors.Accounts("Health_Score__c")
	return strings.TrimSuffix(all["https://b.com"]+all["b.com"], ".0")
}

// A stream is consumed once: what was pushed is gone from it, also where the run takes
// part in what a person does, and what fails stays.
func TestStream(t *testing.T) {
	for _, stream := range []string{"customer_health_changes", "changes_of_health"} {
		t.Run(stream, func(t *testing.T) {
			r := streaming(t, stream)
			left := func(want string) {
				t.Helper()
				r.same(read(t, r.w.DB(), "SELECT count(*) FROM customer_health_changes")[0], want)
			}
			r.same(r.ran("full"), "all: c1; 1 sent")
			r.change("c1", "x@a.com", 0.1, "DELETE", true)
			r.change("c1", "x@a.com", 0.2, "INSERT", true)
			r.change("c2", "x@b.com", 0.3, "INSERT", false)
			got := r.ran("cdc")
			if !strings.HasPrefix(got, "stream: c1 c1 c2;") && !strings.HasPrefix(got, "stream: c1 c2") || !strings.HasSuffix(got, " 2 sent") {
				t.Error(got)
			}
			left("0")
			r.same(r.ran("cdc"), "stream: -; 0 sent")
			// A refused push leaves the stream as it is.
			r.change("c2", "x@b.com", 0.4, "INSERT", true)
			r.refuse["/push"] = 1
			if _, err := r.call("penstock_run('accounts', 'cdc')"); err == nil {
				t.Fatal("no error")
			}
			left("1")
			clear(r.refuse)
			r.same(r.ran("cdc"), "stream: c2; 1 sent")
			left("0")
			// Once they are consumed, the rows are delivered, though the run is not finished.
			r.change("c2", "x@b.com", 0.5, "INSERT", true)
			r.refuse["/finish"] = 1
			_, err := r.call("penstock_run('accounts', 'cdc')")
			if err == nil || !strings.Contains(err.Error(), "stays open") {
				t.Fatal(err)
			}
			clear(r.refuse)
			left("0")
			r.settle()
			if last := r.last("accounts"); last.Status != run.Open || last.Counts.Delivered != 1 {
				t.Errorf("the run is %s: %+v", last.Status, last.Counts)
			}
			r.same(r.scoreOfB(), "50")
		})
	}
}

// What a stream may say of one record between two runs, in whatever order its rows come,
// leaves the destination as the table is.
func TestStreamOrders(t *testing.T) {
	type change struct {
		score  float64
		action string
		update bool
	}
	for name, c := range map[string]struct {
		runs [][]change
		want string
	}{
		"an update":                         {[][]change{{{0.1, "INSERT", false}}, {{0.1, "DELETE", true}, {0.2, "INSERT", true}}}, "20"},
		"an update, the other half first":   {[][]change{{{0.1, "INSERT", false}}, {{0.2, "INSERT", true}, {0.1, "DELETE", true}}}, "20"},
		"a delete":                          {[][]change{{{0.1, "INSERT", false}}, {{0.1, "DELETE", false}}}, ""},
		"deleted and made again":            {[][]change{{{0.1, "INSERT", false}}, {{0.1, "DELETE", false}, {0.3, "INSERT", false}}}, "30"},
		"made again and deleted, by a view": {[][]change{{{0.1, "INSERT", false}}, {{0.3, "INSERT", false}, {0.1, "DELETE", false}}}, "30"},
		"deleted, then made again":          {[][]change{{{0.1, "INSERT", false}}, {{0.1, "DELETE", false}}, {{0.4, "INSERT", false}}}, "40"},
		"a half alone":                      {[][]change{{{0.1, "INSERT", false}}, {{0.1, "DELETE", true}}}, "10"},
		"nothing of it was known":           {[][]change{{{0.1, "DELETE", false}}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := streaming(t, "customer_health_changes")
			for _, changes := range c.runs {
				for _, x := range changes {
					r.change("c2", "x@b.com", x.score, x.action, x.update)
				}
				r.ran("cdc")
			}
			r.same(r.scoreOfB(), c.want)
		})
	}
}

// A record that was deleted and inserted again is two rows, in no order and, beyond a
// batch's size, in two batches: its deletion is not pushed, and consumed all the same.
func TestStreamBatches(t *testing.T) {
	for _, stream := range []string{"customer_health_changes", "changes_of_health"} {
		for _, actions := range [][2]string{{"DELETE", "INSERT"}, {"INSERT", "DELETE"}} {
			t.Run(stream+", first the "+actions[0], func(t *testing.T) {
				r := streaming(t, stream)
				r.change("c2", "x@b.com", 0.1, "INSERT", false)
				r.same(r.ran("cdc"), "stream: c2; 1 sent")
				r.change("c2", "x@b.com", 0.3, actions[0], false)
				r.exec("INSERT INTO customer_health_changes SELECT 'h' || i, 'h' || i || '@d.com', 0.1, 10, 'DELETE', TRUE FROM range(3000) AS t(i)") // old halves, which cost no call
				r.change("c2", "x@b.com", 0.3, actions[1], false)
				r.ran("cdc")
				r.same(r.scoreOfB(), "30")
				if got := r.last("accounts").Counts; got.Received != 3001 || got.Superseded != 3000 || got.Delivered != 1 {
					t.Errorf("%+v", got)
				}
				r.same(read(t, r.w.DB(), "SELECT count(*) FROM customer_health_changes")[0], "0")
			})
		}
	}
}

// Of one record's rows a deletion is left out beside one that writes it, and nothing else
// is: not the old half of an update, nor what deletes beside that alone, nor a row
// without a match value.
func TestStreamFolds(t *testing.T) {
	for name, c := range map[string]struct {
		view string // over the table of changes, which is the stream where there is none
		rows []string
		want string // of them is pushed, by number
	}{
		"a pair":                   {"", []string{"'x@b.com', 'DELETE', FALSE", "'x@b.com', 'INSERT', FALSE"}, "2"},
		"in another spelling":      {"", []string{"'x@b.com', 'INSERT', FALSE", "' x@b.com', ' delete', NULL"}, "1"},
		"two records":              {"", []string{"'x@b.com', 'DELETE', FALSE", "'x@a.com', 'INSERT', FALSE"}, "1 2"},
		"deletions alone":          {"", []string{"'x@b.com', 'DELETE', FALSE", "'x@b.com', 'DELETE', FALSE"}, "1 2"},
		"an update":                {"", []string{"'x@b.com', 'DELETE', TRUE", "'x@b.com', 'INSERT', TRUE"}, "1 2"},
		"an old half":              {"", []string{"'x@b.com', 'DELETE', FALSE", "'x@b.com', 'DELETE', TRUE"}, "1 2"},
		"an update takes the key":  {"", []string{"'x@b.com', 'DELETE', FALSE", "'x@a.com', 'DELETE', TRUE", "'x@b.com', 'INSERT', TRUE"}, "2 3"},
		"no match value":           {"", []string{"NULL, 'DELETE', FALSE", "NULL, 'INSERT', FALSE"}, "1 2"},
		"a blank one":              {"", []string{"' ', 'DELETE', FALSE", "' ', 'INSERT', FALSE"}, "1 2"},
		"a view's words":           {`"METADATA$ACTION" = 'DELETE' AS "Should_Delete_From_Destination"`, []string{"'x@b.com', 'INSERT', FALSE", "'x@b.com', 'DELETE', FALSE"}, "1"},
		"a view's action":          {`CASE "METADATA$ACTION" WHEN 'DELETE' THEN 'Delete' END AS "Sync_Action", "METADATA$ISUPDATE" AS "IS_UPDATE"`, []string{"'x@b.com', 'INSERT', FALSE", "'x@b.com', 'DELETE', FALSE"}, "1"},
		"a view's old half":        {`CASE "METADATA$ACTION" WHEN 'DELETE' THEN 'delete' END AS sync_action, "METADATA$ISUPDATE" AS is_update`, []string{"'x@b.com', 'INSERT', TRUE", "'x@b.com', 'DELETE', TRUE"}, "1 2"},
		"a view that says no half": {`CASE "METADATA$ACTION" WHEN 'DELETE' THEN 'delete' END AS sync_action`, []string{"'x@b.com', 'INSERT', TRUE", "'x@b.com', 'DELETE', TRUE"}, "1"},
		"what is no number":        {`'NaN'::DOUBLE AS ratio, "METADATA$ACTION", "METADATA$ISUPDATE"`, []string{"'x@b.com', 'INSERT', FALSE", "'x@b.com', 'DELETE', FALSE"}, "1"},
	} {
		t.Run(name, func(t *testing.T) {
			stream := "customer_health_changes"
			if c.view != "" {
				stream = "told"
			}
			r := streaming(t, stream)
			r.exec(`CREATE VIEW told AS SELECT customer_id, email AS "EMail", health_score_pct, ` + cmp.Or(c.view, "1 AS one") + " FROM customer_health_changes")
			for n, row := range c.rows {
				email, change, _ := strings.Cut(row, ",")
				r.exec(fmt.Sprintf("INSERT INTO customer_health_changes VALUES ('%d', %s, 0, 10, %s)", n+1, email, change))
			}
			answer, err := r.call("penstock_run('accounts', 'cdc')")
			if err != nil {
				t.Fatal(err)
			}
			r.same(read(t, r.w.DB(), "SELECT string_agg(answer->>'record_id', ' ' ORDER BY answer->>'record_id') FROM penstock_receipts")[0], c.want)
			r.same(strings.Fields(answer)[4], fmt.Sprint(len(strings.Fields(c.want)))) // what finish compares
			r.same(read(t, r.w.DB(), "SELECT count(*) FROM customer_health_changes")[0], "0")
		})
	}
}

// What cannot be a stream is told, and the run is closed.
func TestStreamThatIsNone(t *testing.T) {
	for stream, told := range map[string]string{"nothing": "there is no table or view of that name", "two": "this view reads 2"} {
		r := streaming(t, stream)
		r.exec("CREATE VIEW two AS SELECT * FROM customer_health_changes JOIN health USING (customer_id)")
		got, err := r.call("penstock_run('accounts', 'cdc')")
		if err == nil || !strings.Contains(err.Error(), told) || r.last("accounts").Status != run.Cancelled {
			t.Errorf("%s: %q %v", stream, got, err)
		}
	}
	r := newRoad(t, map[string]string{"accounts": definition("")})
	if got, err := r.call("penstock_run('accounts', 'cdc')"); err == nil || !strings.Contains(err.Error(), "names none") {
		t.Errorf("%q %v", got, err)
	}
}

// A table of records is no table of changes, nor is a view over one: its rows stay. Of two
// views by one name the named schema's is read.
func TestStreamLosesNoRecords(t *testing.T) {
	for _, stream := range []string{"health", "records", "other.changes_of_health"} {
		r := streaming(t, stream)
		r.exec("CREATE VIEW records AS SELECT *, 'INSERT' AS \"METADATA$ACTION\", FALSE AS \"METADATA$ISUPDATE\" FROM health")
		r.exec("CREATE SCHEMA other")
		r.exec("CREATE VIEW other.changes_of_health AS SELECT * FROM records")
		r.change("c2", "x@b.com", 0.3, "INSERT", false)
		got, err := r.call("penstock_run('accounts', 'cdc')")
		if err == nil || !strings.Contains(err.Error(), "health has no column METADATA$ACTION") || r.last("accounts").Status != run.Cancelled {
			t.Errorf("%s: %q %v", stream, got, err)
		}
		r.same(fmt.Sprint(read(t, r.w.DB(), "SELECT (SELECT count(*) FROM health) || ' ' || (SELECT count(*) FROM customer_health_changes)")), "[1 1]")
	}
}

// Rows that are written while the stream is pushed stay in it for the next run.
func TestStreamMeanwhile(t *testing.T) {
	r := streaming(t, "customer_health_changes")
	r.change("c1", "x@a.com", 0.2, "INSERT", false)
	wrote := false
	r.arrived = func([]byte) {
		if wrote = true; wrote {
			r.change("c2", "x@b.com", 0.3, "INSERT", false)
		}
		r.arrived = nil
	}
	r.same(r.ran("cdc"), "stream: c1; 1 sent")
	if !wrote {
		t.Fatal("nothing was written meanwhile")
	}
	r.same(r.ran("cdc"), "stream: c2; 1 sent")
	r.same(fmt.Sprint(read(t, r.w.DB(), "SELECT count(*) FROM customer_health_changes")), "[0]")
}
