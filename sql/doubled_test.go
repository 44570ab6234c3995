//go:build cgo

package sql_test

import (
	"strings"
	"testing"
)

// doubled is a road whose rows are pushed in the order of n, so that the last of a key wins.
func doubled(t *testing.T) *road {
	t.Helper()
	return selecting(t, "{changed_only: true, order_by: n}", "n INTEGER")
}

// holds compares a field of an account at the destination.
func (r *road) holds(site, want string) {
	r.Helper()
	if got := r.world.Vendors.Accounts("Health_Score__c")["https://"+site]; got != want {
		r.Errorf("%s holds %s, want %s", site, got, want)
	}
}

// Rows that share a match value are pushed together in every run, which costs comparisons
// alone, and the runs say what to do. Once there is one row, only what changed is pushed.
func TestDoubledRows(t *testing.T) {
	r := doubled(t)
	r.exec("INSERT INTO health VALUES ('x@a.com', 1, 1), ('x@a.com', 2, 2), ('x@b.com', 9, 3)")
	r.same(r.ran("incremental"), "all: x@a.com x@a.com x@b.com; 2 sent")
	if got := r.last("accounts").Reason; got != "1 row shares its match value with another row, so the next run selects all rows: give each record one row in the model" {
		t.Error(got)
	}
	for range 3 {
		r.same(r.ran("incremental"), "all: x@a.com x@a.com x@b.com; 0 sent")
		if n := r.last("accounts").Counts.Calls; n != 0 {
			t.Errorf("%d calls for rows that are there", n)
		}
		r.refresh()
		r.remembered("x@a.com 1.0", "x@a.com 2.0", "x@b.com 9.0")
	}
	r.holds("a.com", "2.0")
	r.exec("DELETE FROM health WHERE score = 2") // the winner
	r.same(r.ran("incremental"), "all: x@a.com x@b.com; 1 sent")
	r.holds("a.com", "1.0")
	if got := r.last("accounts").Reason; got != "" {
		t.Error(got)
	}
	r.same(r.ran("incremental"), "changed: -; 0 sent")
	r.refresh()
	r.remembered("x@a.com 1.0", "x@b.com 9.0")
}

// A second row of a record comes later, and is pushed alone: the next run pushes both, so
// that they do not take turns.
func TestDoubledLater(t *testing.T) {
	r := doubled(t)
	r.exec("INSERT INTO health VALUES ('x@a.com', 1, 1), ('x@b.com', 9, 3)")
	r.same(r.ran("incremental"), "all: x@a.com x@b.com; 2 sent")
	r.exec("INSERT INTO health VALUES ('x@a.com', 2, 2)")
	r.same(r.ran("incremental"), "changed: x@a.com; 1 sent")
	r.same(r.ran("incremental"), "changed: x@a.com x@a.com; 0 sent")
	for range 2 {
		r.same(r.ran("incremental"), "all: x@a.com x@a.com x@b.com; 0 sent")
	}
	r.holds("a.com", "2.0")
	r.exec("DELETE FROM health WHERE score = 2")
	r.same(r.ran("incremental"), "all: x@a.com x@b.com; 1 sent")
	r.holds("a.com", "1.0")
	r.same(r.ran("incremental"), "changed: -; 0 sent")
}

// The loser changes, and does not win by being pushed alone.
func TestDoubledLoserChanges(t *testing.T) {
	r := doubled(t)
	r.exec("INSERT INTO health VALUES ('x@a.com', 1, 1), ('x@a.com', 2, 2)")
	r.ran("incremental")
	r.exec("UPDATE health SET score = 5 WHERE score = 1")
	r.same(r.ran("incremental"), "all: x@a.com x@a.com; 0 sent")
	r.holds("a.com", "2.0")
}

// Of two record ids with one match value the winner gets another one.
func TestDoubledMatchValue(t *testing.T) {
	r := doubled(t)
	r.exec("INSERT INTO health VALUES ('x@a.com', 1, 1), ('y@a.com', 2, 2)")
	r.same(r.ran("incremental"), "all: x@a.com y@a.com; 1 sent")
	r.exec("UPDATE health SET email = 'y@b.com' WHERE email = 'y@a.com'")
	r.same(r.ran("incremental"), "all: x@a.com y@b.com; 2 sent")
	r.holds("a.com", "1.0")
	r.holds("b.com", "2.0")
	r.same(r.ran("incremental"), "changed: -; 0 sent")
}

// The winner fails, and leaves the model: the row that gave way to it is sent after all.
func TestDoubledWinnerFails(t *testing.T) {
	r := selecting(t, "{changed_only: true, order_by: n}", "n INTEGER")
	r.exec("ALTER TABLE health ALTER score TYPE DOUBLE")
	r.exec("INSERT INTO health VALUES ('x@a.com', 1, 1), ('y@a.com', 1e99, 2)") // too large for the field
	if got := r.ran("incremental"); !strings.HasSuffix(got, "; 0 sent") {
		t.Error(got)
	}
	r.exec("DELETE FROM health WHERE email = 'y@a.com'")
	r.same(r.ran("incremental"), "all: x@a.com; 1 sent")
	r.holds("a.com", "1.0")
}
