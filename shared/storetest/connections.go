package storetest

import (
	"fmt"
	"testing"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

var connectionTests = []test{
	{"absent", func(t *testing.T, s Stores) {
		_, err := s.Connection(t.Context(), "none")
		fails(t, "Connection", err, run.ErrNotFound)
		_, err = s.PinAccount(t.Context(), "none", "org1")
		fails(t, "PinAccount", err, run.ErrNotFound)
		_, err = s.AcceptAccount(t.Context(), "none", "org1")
		fails(t, "AcceptAccount", err, run.ErrNotFound)
		_, err = s.Connection(t.Context(), "none")
		fails(t, "Connection afterwards", err, run.ErrNotFound)
	}},
	{"put keeps the pin", func(t *testing.T, s Stores) {
		c := aConnection("https://acme.example")
		ok(t, s.PutConnection(t.Context(), c))
		want := syncdef.Stored{Connection: c}
		same(t, "new", want, must(s.Connection(t.Context(), c.Name))(t))
		want.Account = "org1"
		same(t, "pinned", want, must(s.PinAccount(t.Context(), c.Name, "org1"))(t))
		want.Connection = aConnection("https://größe.example")
		ok(t, s.PutConnection(t.Context(), want.Connection))
		same(t, "put again", want, must(s.Connection(t.Context(), c.Name))(t))
		s = s.Reopen()
		same(t, "reopened", want, must(s.Connection(t.Context(), c.Name))(t))
	}},
	{"pinned once", func(t *testing.T, s Stores) {
		c := aConnection("")
		ok(t, s.PutConnection(t.Context(), c))
		_ = must(s.PinAccount(t.Context(), c.Name, "org1"))(t)
		if got := must(s.PinAccount(t.Context(), c.Name, "org2"))(t); got.Account != "org1" || got.Epoch != 0 {
			t.Errorf("pinned again: %+v", got)
		}
		// A vendor that cannot tell pins nothing.
		other := aConnection("")
		other.Name = "other"
		ok(t, s.PutConnection(t.Context(), other))
		if got := must(s.PinAccount(t.Context(), "other", ""))(t); got.Account != "" {
			t.Errorf("pinned to nothing: %+v", got)
		}
		if got := must(s.PinAccount(t.Context(), "other", "org2"))(t); got.Account != "org2" {
			t.Errorf("pinned later: %+v", got)
		}
	}},
	{"pin raced", func(t *testing.T, s Stores) {
		c := aConnection("")
		ok(t, s.PutConnection(t.Context(), c))
		got := make([]syncdef.Stored, 8)
		race(t, 8, func(i int) (err error) {
			got[i], err = s.PinAccount(t.Context(), c.Name, fmt.Sprint("org", i))
			return err
		})
		for i := range got {
			same(t, "the pin that a worker was told", got[0], got[i])
		}
	}},
	{"another account", func(t *testing.T, s Stores) {
		c := aConnection("")
		ok(t, s.PutConnection(t.Context(), c))
		_ = must(s.PinAccount(t.Context(), c.Name, "org1"))(t)
		want := syncdef.Stored{Connection: c, Account: "org2", Epoch: 1}
		same(t, "accepted", want, must(s.AcceptAccount(t.Context(), c.Name, "org2"))(t))
		want.Account, want.Epoch = "", 2
		same(t, "whichever comes next", want, must(s.AcceptAccount(t.Context(), c.Name, ""))(t))
		want.Account = "org3"
		same(t, "pinned", want, must(s.PinAccount(t.Context(), c.Name, "org3"))(t))
		ok(t, s.PutConnection(t.Context(), c))
		same(t, "stored", want, must(s.Connection(t.Context(), c.Name))(t))
	}},
	{"another type", func(t *testing.T, s Stores) {
		c := aConnection("")
		ok(t, s.PutConnection(t.Context(), c))
		_ = must(s.PinAccount(t.Context(), c.Name, "org1"))(t)
		other := c
		other.Type = "cards"
		for epoch, settings := range []syncdef.Connection{c, other, c} { // back, its ledgers are no older type's
			for range 2 {
				ok(t, s.PutConnection(t.Context(), settings))
			}
			want := syncdef.Stored{Connection: settings, Epoch: int64(epoch)}
			if epoch == 0 {
				want.Account = "org1"
			}
			same(t, settings.Type, want, must(s.Connection(t.Context(), c.Name))(t))
		}
		if got := must(s.PinAccount(t.Context(), c.Name, "org2"))(t); got.Account != "org2" || got.Epoch != 2 {
			t.Errorf("pinned anew: %+v", got)
		}
	}},
	{"another type raced", func(t *testing.T, s Stores) {
		c := aConnection("")
		ok(t, s.PutConnection(t.Context(), c))
		c.Type = "cards"
		race(t, 4, func(int) error { return s.PutConnection(t.Context(), c) })
		same(t, "the epoch is raised once", syncdef.Stored{Connection: c, Epoch: 1}, must(s.Connection(t.Context(), c.Name))(t))
	}},
}

func aConnection(url string) syncdef.Connection {
	return syncdef.Connection{Name: "crm_prod", Type: "crm", URL: url, Secret: "crm/prod"}
}
