// Package vendors is the one list of the destination types that the command line
// is built with, each beside the simulator that stands for it on one machine. A
// worker links the one vendor that it delivers to, and nothing else links any.
package vendors

import (
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/amplitude"
	"github.com/penstock-data/penstock/shared/dest/hubspot"
	"github.com/penstock-data/penstock/shared/dest/intercom"
	"github.com/penstock-data/penstock/shared/dest/salesforce"
	"github.com/penstock-data/penstock/shared/dest/slack"
	"github.com/penstock-data/penstock/shared/sandbox"
	amplitudesim "github.com/penstock-data/penstock/shared/sandbox/amplitude"
	hubspotsim "github.com/penstock-data/penstock/shared/sandbox/hubspot"
	intercomsim "github.com/penstock-data/penstock/shared/sandbox/intercom"
	salesforcesim "github.com/penstock-data/penstock/shared/sandbox/salesforce"
	slacksim "github.com/penstock-data/penstock/shared/sandbox/slack"
)

// A Destination is a destination type: how rows get there, and what stands for it on
// one machine.
type Destination struct {
	Vendor    dest.Vendor
	Simulator sandbox.Simulator // of the same type
}

// All are the destination types, in the order in which people are told of them.
var All = []Destination{
	{Vendor: salesforce.Vendor, Simulator: salesforcesim.Sandbox},
	{Vendor: slack.Vendor, Simulator: slacksim.Sandbox},
	{Vendor: hubspot.Vendor, Simulator: hubspotsim.Sandbox},
	{Vendor: intercom.Vendor, Simulator: intercomsim.Sandbox},
	{Vendor: amplitude.Vendor, Simulator: amplitudesim.Sandbox},
}

// Vendors are the vendors of All.
func Vendors() []dest.Vendor {
	out := make([]dest.Vendor, len(All))
	for i, d := range All {
		out[i] = d.Vendor
	}
	return out
}
