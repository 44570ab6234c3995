package syncdef

import (
	"fmt"
	"slices"

	"github.com/penstock-data/penstock/shared/row"
)

// Allow says which roles may call the SQL functions for a sync. A list that is left
// out beside the other one lets nobody in; without Allow whoever may call the
// functions at all may do everything.
type Allow struct {
	Push   []string `json:"push,omitempty"`   // push, begin, finish, cancel, retry, reset, plan
	Errors []string `json:"errors,omitempty"` // errors and the source rows in them
}

// MayPush reports whether a caller may push to the sync and govern its runs.
func (a *Allow) MayPush(c row.Caller) bool {
	return a == nil || c.Owner || slices.ContainsFunc(a.Push, c.Is)
}

// MayReadErrors reports whether a caller may read what failed.
func (a *Allow) MayReadErrors(c row.Caller) bool {
	return a == nil || c.Owner || slices.ContainsFunc(a.Errors, c.Is)
}

// MaySee reports whether a caller is shown that the sync exists, and its runs' counts.
func (a *Allow) MaySee(c row.Caller) bool { return a.MayPush(c) || a.MayReadErrors(c) }

// Denied says for people why a caller that may see a sync may not do this with it:
// "push to it", "read its errors". list is the key that would have to name the role.
func Denied(c row.Caller, sync, what, list string) string {
	return fmt.Sprintf("%s may not %s: %q lets in the roles of its allow.%s only; use one of them, or add this one and run penstock apply; %s",
		c.Named(), what, sync, list, c.Remedy)
}

// Unseen is what follows "there is no sync", for a caller from whom one may be hidden:
// a sync that it may not see is told in the very words of one that does not exist.
func Unseen(c row.Caller) string {
	switch {
	case c.Owner:
		return ""
	case c.Role == "":
		return "; or it has allow, and no role came with this call: " + c.Remedy
	}
	return "; or its allow does not name " + c.Named()
}
