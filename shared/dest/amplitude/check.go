package amplitude

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/netguard"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// checkConnection fills in the region's address and refuses what has no use.
func checkConnection(c *syncdef.Connection) []syncdef.Fault {
	var faults []syncdef.Fault
	if c.URL == "" {
		c.URL = addresses[regionOf(c)]
	} else if _, err := address(c.URL); err != nil {
		faults = append(faults, syncdef.Fault{Path: "url", Message: err.Error()})
	}
	for region, other := range addresses {
		if region != regionOf(c) && strings.TrimRight(c.URL, "/") == other {
			faults = append(faults, syncdef.Fault{Path: "url", Message: fmt.Sprintf("url %s is that of region %s: leave the url out, or write region: %s", other, region, region)})
		}
	}
	if c.Quota != (syncdef.Quota{}) {
		faults = append(faults, syncdef.Fault{Path: "quota",
			Message: "quota has no use with type amplitude: Amplitude limits what one user gets, not what a project sends"})
	}
	return faults
}

func regionOf(c *syncdef.Connection) string {
	if r := c.Options[keyRegion]; r != "" {
		return r
	}
	return regionUS
}

// address allows https, and http on this machine only: the API key must not travel
// in the clear.
func address(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		return "", fmt.Errorf("url: write scheme and host only, like %s, or leave it out", addresses[regionEU])
	case u.Scheme != "https" && (u.Scheme != "http" || !netguard.LoopbackHost(u.Hostname())):
		return "", errors.New("url: only https is allowed, except on this machine")
	}
	return u.Scheme + "://" + u.Host, nil
}

// maxProperties is how many user properties a project has at most ("Limits").
const maxProperties = 1000

// check wants user ids to match, properties that can be written, and texts that are
// not cut in silence.
func check(d *syncdef.Definition, _ *syncdef.Connection) []syncdef.Fault {
	var faults []syncdef.Fault
	fault := func(path, format string, args ...any) {
		faults = append(faults, syncdef.Fault{Path: path, Message: fmt.Sprintf(format, args...)})
	}
	if d.Match.Destination != "" && d.Match.Destination != fieldUser {
		fault("match.destination", "match.destination %q: users are found by their user id: write %s", d.Match.Destination, fieldUser)
	}
	if d.Match.Case != nil && !*d.Match.Case {
		fault("match.case", "match.case: Amplitude tells user ids apart by case; leave it out")
	}
	d.OnMissing = syncdef.Create // a user who gets a property is there
	if d.Operation == syncdef.Delete {
		d.OnMissing = syncdef.Report
	}
	if len(d.Fields) > maxProperties {
		fault("field_mappings", "%d properties: a project has %d at most, and Amplitude takes the others without ever showing them", len(d.Fields), maxProperties)
	}
	faults = append(faults, checkParts(d)...)
	for i := range d.Fields {
		for _, f := range checkField(d, &d.Fields[i]) {
			fault(fmt.Sprintf("field_mappings[%d].%s", i, f.Path), "%s", f.Message)
		}
	}
	return faults
}

// checkField judges one mapping, and bounds its texts by what Amplitude keeps.
func checkField(d *syncdef.Definition, f *syncdef.Field) []syncdef.Fault {
	var faults []syncdef.Fault
	fault := func(path, format string, args ...any) {
		faults = append(faults, syncdef.Fault{Path: path, Message: fmt.Sprintf(format, args...)})
	}
	op := operationOf(f)
	switch top := syncdef.TopField(f.Destination); {
	case top != f.Destination && (top == fieldUser || top == fieldDevice):
		fault("destination", "destination %s: %s is an id, and has no parts", f.Destination, top)
	case strings.HasSuffix(f.Destination, syncdef.SpreadMark) && op != opSet:
		fault("operation", "operation %s: the members of an object are set; map a member by itself (source: column.member) to change it otherwise", op)
	case f.Destination == fieldUser:
		fault("destination", "destination %s: the user id is written by match", fieldUser)
	case f.Destination == fieldDevice && op != opSet:
		fault("operation", "operation %s has no use here: %s names a device, and is no property", op, fieldDevice)
	case strings.HasPrefix(f.Destination, "$"):
		fault("destination", "destination %q: names that begin with $ are Amplitude's own; use operation for what is done to a property", f.Destination)
	case utf16Length(f.Destination) > maxText:
		fault("destination", "destination: a property's name has %d characters at most", maxText)
	case op == opAdd && f.Type != syncdef.Number && f.Type != syncdef.Integer && f.Type != "":
		fault("operation", "operation add adds numbers: write data_type: number or data_type: integer")
	case (op == opAdd || op == opAppend) && d.Send == syncdef.SendAll:
		fault("operation", "operation %s and send: all: the value would be sent again with every change of another column; leave send out", op)
	}
	if slices.Contains([]syncdef.Type{syncdef.String, syncdef.Email, syncdef.Picklist}, f.Type) {
		if f.MaxLength > maxText {
			fault("max_length", "max_length %d: Amplitude cuts texts after %d characters", f.MaxLength, maxText)
		} else if f.MaxLength == 0 {
			f.MaxLength = maxText
		}
	}
	return faults
}

// checkParts wants the fields that one property is built of to change it in one way.
func checkParts(d *syncdef.Definition) []syncdef.Fault {
	var faults []syncdef.Fault
	ops := map[string]string{}
	for i := range d.Fields {
		f := &d.Fields[i]
		to, err := syncdef.ParsePath(f.Destination)
		if err != nil || !to.Nested() {
			continue
		}
		op, first := operationOf(f), ops[to[0].Name]
		ops[to[0].Name] = op
		path := fmt.Sprintf("field_mappings[%d].operation", i)
		switch {
		case op == opAdd:
			faults = append(faults, syncdef.Fault{Path: path, Message: "operation add adds to a number: " + to[0].Name + " is built as a whole"})
		case first != "" && first != op:
			faults = append(faults, syncdef.Fault{Path: path, Message: fmt.Sprintf("operation %s: another part of %s has %s, and the property is sent as a whole; write the same for all of its parts", op, to[0].Name, first)})
		}
	}
	return faults
}
