package row

// An Identity is the rule by which a destination tells whether two match values
// name one record, as data: a version carries it, and everything that compares
// keys (lane, duplicate check, ledger, lookup, the comparison of what came back)
// uses its one function, Key.
type Identity struct {
	Steps []Step `json:"steps,omitempty"` // applied in order
	// CaseUnsure says that nobody told whether case counts: a row that equals
	// another of its batch only when case is left out is rejected.
	CaseUnsure bool `json:"case_unsure,omitempty"`
}

// A Step is one normaliser of a closed set.
type Step string

// The steps.
const (
	StepTrim   Step = "trim"   // outer white space goes
	StepSpace  Step = "space"  // inner white space becomes one blank each
	StepLower  Step = "lower"  // case goes, by Unicode's full case folding
	StepNFC    Step = "nfc"    // Unicode form C
	StepEmail  Step = "email"  // must be an address; the domain in lower case and ASCII (IDN)
	StepDomain Step = "domain" // of an address or URL: no scheme, www., port or path; lower case, ASCII (IDN)
	StepID18   Step = "id18"   // a 15 or 18 character id, in its 18 character form
	StepNumber Step = "number" // sign, digits without outer zeros, exponent
)
