package apptest

import (
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/intercom"
	"github.com/penstock-data/penstock/shared/sandbox"
	intercomsim "github.com/penstock-data/penstock/shared/sandbox/intercom"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// An other is a destination type with sample events whose syncs are not in sql/syncs
// but in testdata/events/TYPE. Its events' names end with the type: push-TYPE, which
// Push makes, and sqs-TYPE, what the intake queues of it.
type other struct {
	vendor    dest.Vendor
	simulator sandbox.Simulator
	push      func() []byte
}

var others = []other{
	{intercom.Vendor, intercomsim.Sandbox, pushIntercom},
}

// otherOf is the type that a sample event is of by its name.
func otherOf(event string) (other, bool) {
	for _, o := range others {
		if strings.HasSuffix(event, "-"+o.vendor.Name) {
			return o, true
		}
	}
	return other{}, false
}

// Apart reports whether a sample event needs a World of its own.
func Apart(event string) bool {
	_, apart := otherOf(event)
	return apart
}

// otherSamples are the SQS events of the other types.
func otherSamples() []Sample {
	var out []Sample
	for _, o := range others {
		name := o.vendor.Name
		out = append(out, Sample{"sqs-" + name, name, pushes("push-" + name), allOf})
	}
	return out
}

// NewFor makes the World of a sample event: the sample's, or one of the event's own
// type, whose simulator is then World.Other.
func NewFor(t testing.TB, event string) *World {
	t.Helper()
	o, apart := otherOf(event)
	if !apart {
		return New(t)
	}
	_, file, _, _ := runtime.Caller(0)
	set, err := yamlfile.Load(filepath.Join(filepath.Dir(file), "testdata", "events", o.vendor.Name), dest.Kinds([]dest.Vendor{o.vendor}))
	if err != nil {
		t.Fatal(err)
	}
	clock := NewClock()
	server, err := o.simulator.Open(sandbox.Settings{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	w := NewOf(t, clock, []Service{{Vendor: o.vendor, Server: server, Secret: o.simulator.Secret}}, set)
	w.Other = server
	return w
}
