package salesforce

// Access is what the integration user may do, by its profile and permission sets.
type Access string

// The kinds. An object that the user may not see is answered like one that there is
// not, and so is a field (Salesforce Help, "Field-Level Security").
const (
	AccessAll  Access = ""
	AccessRead Access = "read" // an object's records may be read only; a field likewise
	AccessNone Access = "none"
)

func (a Access) valid() bool { return a == AccessAll || a == AccessRead || a == AccessNone }

// writes reports whether records of the object may be made, changed and deleted.
func (o *Object) writes() bool { return o.Access == AccessAll }

// denied refuses a record of an object that the user may only read.
func (o *Object) denied() []fieldError {
	if o.writes() {
		return nil
	}
	return fault("INSUFFICIENT_ACCESS_OR_READONLY", usual["INSUFFICIENT_ACCESS_OR_READONLY"], "")
}
