package main

import (
	"github.com/penstock-data/penstock/shared/dest/salesforce"
	"github.com/penstock-data/penstock/shared/dest/slack"
	salesforcesim "github.com/penstock-data/penstock/shared/sandbox/salesforce"
	slacksim "github.com/penstock-data/penstock/shared/sandbox/slack"
)

// known are the destination types of this program, in the order in which people
// are told of them.
var known = []Destination{
	{Vendor: salesforce.Vendor, Simulator: salesforcesim.Sandbox},
	{Vendor: slack.Vendor, Simulator: slacksim.Sandbox},
}
