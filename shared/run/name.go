package run

import (
	"regexp"

	"github.com/penstock-data/penstock/shared/row"
)

// names are syncs' names, and those with a run's part after a point.
var names = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}(\.[a-z0-9~]{1,64})?$`)

// IsName reports whether a text can be the name of a sync or the id of a run. Where it
// cannot, storage is not asked: it refuses keys that are too long, and what a caller
// wrote is no failure of ours.
func IsName(s string) bool { return names.MatchString(s) }

// pages are the tokens of a page: the batch and the row of its last error, which is -1
// of a summary.
var pages = regexp.MustCompile(`^[^#]{1,128}#(-1|0|[1-9][0-9]{0,9})$`)

// CheckPage refuses a token that no page of errors can have ended with; "" is the first
// page's.
func CheckPage(token string) error {
	if token == "" || pages.MatchString(token) {
		return nil
	}
	return row.Refuse(`this is no place to go on from: pass the "next" of the answer before, or nothing`)
}
