package syncdef

import "strconv"

// Verify says what of a sync's records is compared with what was delivered, once a day,
// and how much may differ.
type Verify struct {
	Sample      *int  `json:"sample,omitempty"`       // records; 0 reads none back; default DefaultVerifySample
	MissingOver Share `json:"missing_over,omitempty"` // of the sample: over this share an alert is raised; default 0
	ChangedOver Share `json:"changed_over,omitempty"` // likewise, of each field; default DefaultChangedOver
}

// The defaults of a definition's verify, and the most that one may ask for.
const (
	DefaultVerifySample = 1000
	MaxVerifySample     = 100_000
	DefaultChangedOver  = 0.01
)

// VerifySample is how many records are read back every day; 0 is none.
func (d *Definition) VerifySample() int {
	if d.Verify == nil || d.Verify.Sample == nil {
		return DefaultVerifySample
	}
	return *d.Verify.Sample
}

// Tolerates are the shares of records that may be missing, and in which a field may differ,
// before somebody is told.
func (d *Definition) Tolerates() (missing, changed float64) {
	changed = DefaultChangedOver
	if d.Verify == nil {
		return 0, changed
	}
	return d.Verify.MissingOver.or(0), d.Verify.ChangedOver.or(changed)
}

// or is a share as a number, or another one where it says nothing.
func (s Share) or(other float64) float64 {
	if n, err := strconv.ParseFloat(string(s), 64); err == nil {
		return n
	}
	return other
}
