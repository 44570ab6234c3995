package salesforce

import (
	"slices"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/unicode/norm"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/row/address"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// maxVariants bounds the spellings of one key that a query asks for.
const maxVariants = 8

// folded is a key without its case, where that may count or not.
func (d *destination) folded(key string) string {
	if !d.identity.CaseUnsure || key == "" {
		return ""
	}
	return string(d.identity.FoldedKey(nil, []byte(key)))
}

// ask is what finds every record that equals a key by the version's identity, and
// what else is found is compared once more. The reason says why none can be asked
// for.
func (d *destination) ask(r *dest.Record) (q question, reason string) {
	switch {
	case d.identity.Has(row.StepNumber):
		if !numeric(r.Key) {
			return q, "a number of more than 64 digits, which no field holds"
		}
		return question{equals: []string{r.Key}}, ""
	case d.identity.Has(row.StepID18):
		if _, valid := id18(r.Key); !valid {
			return q, "no id of 15 or 18 letters and digits"
		}
		return question{equals: []string{quoted(r.Key)}}, ""
	case d.def.Strategy == syncdef.MatchEmailDomain:
		q.likes = each(domains(r.Key), func(s string) string { return "'%" + escapeLike.Replace(s) + "%'" })
	case d.def.Strategy == syncdef.MatchName && strings.Contains(r.Key, " "):
		q.likes = each(d.spellings(r), spaced)
	default:
		q.equals = each(d.spellings(r), quoted)
	}
	// A spelling that WHERE does not take is of a length that no field it compares holds.
	q.equals, q.likes = slices.DeleteFunc(q.equals, over), slices.DeleteFunc(q.likes, over)
	if len(q.equals)+len(q.likes) == 0 {
		return q, "over 4,000 characters long, which Salesforce compares nothing with"
	}
	return q, ""
}

// over reports a literal that is too long for WHERE.
func over(literal string) bool {
	return len(literal) > maxLiteral && len(utf16.Encode([]rune(literal)))-len("''") > maxLiteral
}

// domains are a domain's spellings: in ASCII, and as people write it, in both Unicode
// forms.
func domains(key string) []string {
	written := address.Unicode(key)
	return distinct(key, written, norm.NFD.String(written))
}

// spellings are texts of which the vendor's own comparison takes one for a stored
// value that has the record's key: as the row writes it, the key, both Unicode
// forms, an address's domain as people write it, and letters that folding the case
// turns into others, which a comparison by single letters does not. Where only the
// case tells key and row apart the row's is asked for alone: whether the field
// leaves out the case or not, it is the right one.
func (d *destination) spellings(r *dest.Record) []string {
	own := d.written(r)
	all := []string{r.Key}
	if d.identity.Has(row.StepEmail) {
		if at := strings.LastIndexByte(r.Key, '@'); at >= 0 {
			all = distinct(append(all, r.Key[:at+1]+address.Unicode(r.Key[at+1:]))...)
		}
	}
	lower := d.identity.Has(row.StepLower)
	if lower {
		for _, f := range folded {
			for _, s := range all {
				if len(all) < maxVariants/2 && strings.Contains(s, f.to) {
					all = append(all, strings.ReplaceAll(s, f.to, f.from))
				}
			}
		}
	}
	switch {
	case lower && strings.ToLower(own) == r.Key:
		all[0] = own
	case own != "":
		all = append(all, own)
	}
	for _, s := range all {
		if !ascii(s) {
			all = append(all, norm.NFD.String(s), norm.NFC.String(s))
		}
	}
	return distinct(all...)
}

// written is the match value as the row has it, but for white space that the
// version's identity leaves out.
func (d *destination) written(r *dest.Record) string {
	if d.identity.Has(row.StepSpace) {
		return strings.Join(strings.Fields(r.Match), " ")
	}
	return strings.TrimSpace(r.Match)
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// folded are letters that stand in names, and what their case is folded to.
var folded = []struct{ from, to string }{{"ß", "ss"}, {"ς", "σ"}, {"µ", "μ"}, {"İ", "i̇"}}

// distinct leaves out what was there already.
func distinct(all ...string) []string {
	out := all[:0:0]
	for _, s := range all {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func each(all []string, f func(string) string) []string {
	for i, s := range all {
		all[i] = f(s)
	}
	return distinct(all...)
}

// quoted is a text as a literal.
func quoted(s string) string { return "'" + escapeText.Replace(s) + "'" }

// spaced is a pattern of a text's words with any white space between them: LIKE
// has no sign for white space alone, so there is one character of any kind at
// least.
func spaced(s string) string {
	words := strings.Fields(s)
	for i, w := range words {
		words[i] = escapeLike.Replace(w)
	}
	return "'" + strings.Join(words, "_%") + "'"
}

// numeric reports whether a key is a plain decimal, which a number literal is.
func numeric(key string) bool {
	digits := strings.TrimPrefix(key, "-")
	return digits != "" && strings.Trim(digits, "0123456789.") == "" && strings.Count(digits, ".") <= 1 && digits[0] != '.' && digits[len(digits)-1] != '.'
}

var idRule = steps(row.StepID18)

// id18 is an id in its 18 character form.
func id18(s string) (string, bool) {
	var buf [18]byte
	b, ok := idRule.Key(buf[:0], []byte(s))
	if string(b) == s {
		return s, ok
	}
	return string(b), ok
}
