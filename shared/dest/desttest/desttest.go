// Package desttest is the suite that every destination passes against its
// vendor's simulator: one outcome per record in order, whatever the vendor does
// to a single record, to a whole call or to a login. It takes a vendor, what its
// account is opened with, and the simulator's Core as a Subject; what only one
// vendor has is tested beside that vendor.
package desttest

import (
	"testing"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A Subject is one version of a vendor over its simulator, both fresh. What a
// vendor does not have stays zero, and its tests are skipped.
type Subject struct {
	Vendor  dest.Vendor
	Config  dest.Config     // the simulator's address, a secret that it takes, its clock
	Version syncdef.Version // operation and match under test
	Core    *sandbox.Core

	// Record is a record that the vendor accepts; every i has its own key.
	Record func(i int) dest.Record
	// Stored is what the simulator holds for a record, as text by field; nil when
	// it holds none. Null fields are absent.
	Stored func(r dest.Record) map[string]string
	// Count is how many records the simulator holds.
	Count func() int

	// Creates says that pushing Record(i) makes a new record; false says that all
	// of Record's exist.
	Creates bool
	// Identity is what Account.Identity answers; "" when the vendor cannot tell.
	Identity string

	Text   string // a field that takes any text of 200 characters
	Number string // a field that takes a number of 16 digits before the point and 2 after it

	// Bad makes a record that the vendor refuses for what it holds, with BadCode.
	Bad     func(r dest.Record) dest.Record
	BadCode string
	// Busy fails single records for a while; FailRecords and Message are filled in.
	Busy sandbox.Fault
	// Name is what Busy knows a record by; nil is its key.
	Name func(r dest.Record) string

	// Write is the Match of Push's requests; logins and Probe's are none of them.
	// Query is that of Lookup's; "" when nothing is ever looked up.
	Write string
	Query string

	Throttle sandbox.Fault // the vendor's answer when the quota of kind Quota is used up
	Waits    bool          // its documentation names the time to wait, and the answer does not
	Quota    dest.Quota
	Expired  sandbox.Fault // ends the session that a request of Push's comes with
	LogsIn   bool          // a session that ended is followed by a login
	// Refusal refuses the credentials, wherever the vendor looks at them first.
	Refusal sandbox.Fault
	// Long is an answer with status 200 that has more results than two records;
	// "" where a call takes one record.
	Long string

	// Idempotent says that pushing a record twice leaves what once leaves, so that
	// a lost answer is settled by pushing again.
	Idempotent bool
	// Clears says that records are changed, and that null empties a field.
	Clears bool
}

// Run runs the suite; start makes a Subject.
func Run(t *testing.T, start func(t *testing.T) Subject) {
	for _, tests := range []map[string]func(*testing.T, *world){outcomes, failures, lookups, accounts, values, deletes, reads} {
		for name, test := range tests {
			t.Run(name, func(t *testing.T) { test(t, open(t, start(t))) })
		}
	}
}

// A world is a Subject with its account open.
type world struct {
	Subject
	account dest.Account
	dest    dest.Destination
}

func open(t *testing.T, s Subject) *world {
	t.Helper()
	account, err := s.Vendor.Open(s.Config)
	if err != nil {
		t.Fatalf("open the account: %v", err)
	}
	return &world{Subject: s, account: account, dest: destination(t, account, s.Version)}
}

func destination(t *testing.T, a dest.Account, v syncdef.Version) dest.Destination {
	t.Helper()
	d, err := a.Open(v)
	if err != nil {
		t.Fatalf("open the version: %v", err)
	}
	return d
}
