package row

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/penstock-data/penstock/shared/row/address"
	"github.com/penstock-data/penstock/shared/row/decimal"
)

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

// The steps. White space is all that Unicode calls so, the no-break space included.
const (
	// StepPlain has the steps behind it take for one only what a vendor's own comparison,
	// letter by letter, can be asked for in a few spellings. Outer white space is ASCII's, and
	// other white space at an end stays as it is; case goes letter by letter, and ß is ss, ς σ,
	// µ μ; form C comes of a text that is in form D throughout, and a mixture stays; a domain is
	// in ASCII or as people write it, in either form, and no browser's spelling of it.
	StepPlain Step = "plain"
	StepTrim  Step = "trim"  // outer white space goes
	StepSpace Step = "space" // inner white space becomes one blank each
	StepLower Step = "lower" // case goes, by Unicode's full case folding: ß is ss
	// StepLetters leaves out the case only of letters that are each other's upper and lower
	// case, which any comparison without case takes for one: ß, ς, µ, İ and the like stay.
	StepLetters Step = "letters"
	StepNFC     Step = "nfc"    // Unicode form C
	StepEmail   Step = "email"  // must be an address; the domain in lower case and ASCII (IDN)
	StepDomain  Step = "domain" // of an address or URL: no scheme, www., port or path; lower case, ASCII (IDN)
	StepID18    Step = "id18"   // a 15 or 18 character id, in its 18 character form
	StepNumber  Step = "number" // by value: 1, 1.0 and 1e0 are one
)

// Has reports whether a step is among the rule's.
func (id Identity) Has(s Step) bool { return slices.Contains(id.Steps, s) }

// Known reports whether this version of Penstock can interpret the rule: a version
// that a later one stored may have a step that it cannot.
func (id Identity) Known() bool {
	for _, s := range id.Steps {
		switch s {
		case StepPlain, StepTrim, StepSpace, StepLower, StepLetters, StepNFC, StepEmail, StepDomain, StepID18, StepNumber:
		default:
			return false
		}
	}
	return true
}

// most is how often the steps are repeated at most until nothing changes. Text in
// ASCII needs one round; folding, form C and IDN can undo a bit of each other.
const most = 4

// Key appends the key of a match value: equal for two values that the destination
// takes for one, and for a key itself. It reports false, and appends nothing, when
// the value cannot be a key by this rule: a malformed number, id, address or
// domain, broken UTF-8, or nothing left. It allocates only when dst is too short
// or the value goes beyond ASCII.
func (id Identity) Key(dst, value []byte) ([]byte, bool) {
	start := len(dst)
	ascii := isASCII(value)
	if !ascii && !utf8.Valid(value) {
		return dst, false
	}
	dst, ok := id.round(dst, value, ascii)
	for range most {
		if !ok || ascii || isASCII(dst[start:]) {
			break
		}
		before := bytes.Clone(dst[start:])
		if dst, ok = id.round(dst[:start], before, false); bytes.Equal(before, dst[start:]) {
			break
		}
	}
	return dst, ok && len(dst) > start
}

// round applies each step once. Each that changes something writes behind what
// the one before wrote; the last result then moves to the front. What is ascii has one
// spelling of a domain.
func (id Identity) round(dst, s []byte, ascii bool) ([]byte, bool) {
	start, plain := len(dst), false
	for _, step := range id.Steps {
		n, ok := len(dst), true
		switch step {
		case StepPlain:
			plain = true
			continue
		case StepTrim:
			s = trim(s, plain)
			continue
		case StepSpace:
			dst = appendSpaced(dst, s, plain)
		case StepLower:
			dst = id.appendCaseless(dst, s)
		case StepLetters:
			dst = appendLetters(dst, s)
		case StepNFC:
			if !plain || norm.NFD.IsNormal(s) {
				s = norm.NFC.Bytes(s)
			}
			continue
		case StepEmail:
			s = bytes.TrimSpace(s) // no address has any, whatever a vendor keeps elsewhere
			if dst, ok = address.Append(dst, s); ok && plain && !ascii {
				at := bytes.LastIndexByte(dst[n:], '@') + 1
				ok = address.Spelled(s[at:], dst[n+at:])
			}
		case StepDomain:
			if dst, ok = address.AppendDomain(dst, s); ok && plain && !ascii {
				ok = address.Named(s, dst[n:])
			}
		case StepID18:
			dst, ok = appendID18(dst, bytes.TrimSpace(s))
		case StepNumber:
			dst, ok = decimal.AppendCanonical(dst, bytes.TrimSpace(s))
		default:
			ok = false
		}
		if !ok {
			return dst[:start], false
		}
		s = dst[n:]
	}
	if len(s) > 0 && len(s) == len(dst)-start && &s[0] == &dst[start] { // it is there already
		return dst, true
	}
	return append(dst[:start], s...), true
}

// FoldedKey appends a key without its case. With CaseUnsure, two keys of a batch
// that differ, but whose folded keys are equal, may or may not be one record.
func (id Identity) FoldedKey(dst, key []byte) []byte { return id.appendCaseless(dst, key) }

// appendCaseless appends s without its case.
func (id Identity) appendCaseless(dst, s []byte) []byte {
	if id.Has(StepPlain) {
		return appendLower(dst, s)
	}
	return appendFolded(dst, s, id.Has(StepNFC))
}

// Trim is a value as it is written: without outer white space, of which a plain rule takes
// off ASCII's alone, but of an address all.
func (id Identity) Trim(value []byte) []byte {
	return trim(value, id.Has(StepPlain) && !id.Has(StepEmail))
}
