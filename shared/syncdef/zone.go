package syncdef

import (
	"fmt"
	"regexp"
	"time"
	_ "time/tzdata" // Lambda's provided.al2023 need not have a zone database
)

// zoneName is the form of every name of the IANA database. What a machine's own folder of
// zones has beside it (localtime, posixrules, posix/..., right/...) begins otherwise.
var zoneName = regexp.MustCompile(`^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*$`)

// Zone is the time zone of a name of the IANA database, such as Europe/Berlin. What a name
// means must not depend on the machine that reads it.
func Zone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || zone == time.Local || !zoneName.MatchString(name) {
		return nil, fmt.Errorf("time_zone: %q is not UTC or a name of the IANA database such as Europe/Berlin", name)
	}
	return zone, nil
}
