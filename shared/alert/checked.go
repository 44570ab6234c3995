package alert

import (
	"fmt"
	"strings"
	"time"
)

// shownDrift is how many faults of the schema a notice names.
const shownDrift = 3

// schemaDrift: rows will be refused, or are already, though nobody changed the definition.
func schemaDrift(s Seen, _ time.Time, _ Policy) (Notice, bool) {
	if len(s.Drift) == 0 {
		return Notice{}, false
	}
	shown := s.Drift[:min(len(s.Drift), shownDrift)]
	why := "the destination does not fit the definition any more: " + strings.Join(shown, "; ")
	if more := len(s.Drift) - len(shown); more > 0 {
		why += fmt.Sprintf("; and %d more", more)
	}
	return Notice{Why: why, Mend: "penstock validate --connection"}, true
}

// disagreement: somebody deleted records, or writes over what is delivered. What is to be
// sent again by the next run is mended.
func disagreement(s Seen, _ time.Time, _ Policy) (Notice, bool) {
	r := s.Records
	if r.Compared == 0 || r.Differ <= r.Mended {
		return Notice{}, false
	}
	var what []string
	if over(r.Missing, r.Compared, r.MissingOver) {
		what = append(what, fmt.Sprintf("%d are missing at the destination", r.Missing))
	}
	if over(r.Changed, r.Compared, r.ChangedOver) {
		what = append(what, fmt.Sprintf("in %d the field %s holds another value than was delivered", r.Changed, r.Field))
	}
	if what == nil {
		return Notice{}, false
	}
	why := fmt.Sprintf("of %d records that were read back %s: stop whoever writes there, then have them sent again; %s says which they are",
		r.Compared, strings.Join(what, ", and "), "penstock verify "+s.Sync)
	return Notice{Rows: r.Differ - r.Mended, Of: r.Compared, Why: why, Mend: "penstock verify " + s.Sync + " --mend && penstock run " + s.Sync}, true
}

// over reports whether so many of all are more than a share of them.
func over(n, all int64, share float64) bool { return n > 0 && float64(n) > share*float64(all) }
