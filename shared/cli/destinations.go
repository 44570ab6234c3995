package cli

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/alecthomas/kong"
	"github.com/dustin/go-humanize/english"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A Destination is a destination type as the command line knows it: how rows get
// there, and what stands for it on one machine.
type Destination struct {
	Vendor    dest.Vendor
	Simulator sandbox.Simulator // of the same type
}

// destinations are the types that Main was given.
type destinations []Destination

func (d destinations) vendors() []dest.Vendor {
	out := make([]dest.Vendor, len(d))
	for i, one := range d {
		out[i] = one.Vendor
	}
	return out
}

// find is the destination of a type; the zero one where there is none.
func (d destinations) find(kind string) (Destination, bool) {
	for _, one := range d {
		if one.Vendor.Name == kind {
			return one, true
		}
	}
	return Destination{}, false
}

// link is the address of a record in its vendor's own pages.
func (d destinations) link(kind, url, account, object, id string) string {
	one, _ := d.find(kind)
	if one.Vendor.Link == nil {
		return ""
	}
	return one.Vendor.Link(url, account, object, id)
}

func (d destinations) kinds() []syncdef.Kind { return dest.Kinds(d.vendors()) }

func (d destinations) simulators() []sandbox.Simulator {
	out := make([]sandbox.Simulator, len(d))
	for i, one := range d {
		out[i] = one.Simulator
	}
	return out
}

// secret is the secret of a type's simulator.
func (d destinations) secret(kind string) map[string]string {
	one, _ := d.find(kind)
	return one.Simulator.Secret
}

// title is what a type is called; the type itself where it is not known.
func (d destinations) title(kind string) string {
	if one, known := d.find(kind); known {
		return one.Vendor.Title
	}
	return kind
}

// account is towards people which account a connection of a type delivers to.
func (d destinations) account(kind, pinned string) string {
	if pinned != "" {
		return pinned
	}
	if one, _ := d.find(kind); one.Vendor.Anonymous {
		return "never told"
	}
	return "not known yet"
}

func (d destinations) names() []string { return syncdef.Kinds(d.kinds()).Names() }

// check refuses a type that there is not, of a flag TYPE=VALUE.
func (d destinations) check(flag, kind, value string) error {
	if slices.Contains(d.names(), kind) {
		return nil
	}
	return usage("--%s %s=%s: there is no destination type %q: known are %s", flag, kind, value, kind, english.WordSeries(d.names(), "and"))
}

// simulated are the flags of commands that start simulated destinations.
type simulated struct {
	kong.Plugins                   // an address a type
	Names        map[string]string `help:"Objects, fields or channels of your own for this type's simulator, from a file." placeholder:"TYPE=FILE"`
	AcceptNames  bool              `help:"Make names of your own that a simulator does not know when they are first used; each is told once."`
}

// offer adds the flag of each type's address: --salesforce ADDR. first is the port
// of the first type's default; 0 leaves the address to the machine.
func (s *simulated) offer(known destinations, first int) {
	for i, d := range known {
		tag := `name:` + strconv.Quote(d.Vendor.Name) + ` placeholder:"ADDR" help:` + strconv.Quote("Address of the simulated "+d.Vendor.Title+"; a free port when not given.")
		if first != 0 {
			tag = fmt.Sprintf(`name:%q default:"127.0.0.1:%d" help:%q`, d.Vendor.Name, first+i, "Address of the simulated "+d.Vendor.Title+".")
		}
		flag := reflect.StructOf([]reflect.StructField{{Name: "Address", Type: reflect.TypeFor[string](), Tag: reflect.StructTag(tag)}})
		s.Plugins = append(s.Plugins, reflect.New(flag).Interface())
	}
}

// addresses are the flags' values by type, in the order in which they were offered.
func (s *simulated) addresses(known destinations) map[string]string {
	out := map[string]string{}
	for i, p := range s.Plugins {
		out[known[i].Vendor.Name] = reflect.ValueOf(p).Elem().Field(0).String()
	}
	return out
}

// check refuses names for a simulator that there is not.
func (s *simulated) check(known destinations) error {
	for kind, file := range s.Names {
		if err := known.check("names", kind, file); err != nil {
			return err
		}
	}
	return nil
}
