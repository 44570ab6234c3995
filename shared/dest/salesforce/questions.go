package salesforce

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/row/address"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// maxSpellings bounds the texts that a key's letters are spelled out to; of more, a
// pattern leaves the letters open.
const maxSpellings = 16

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
		q.likes = each(address.Spellings(r.Key), func(s string) string { return "'%" + escapeLike.Replace(s) + "%'" })
	default:
		texts, patterns, ok := d.spellings(r)
		if !ok {
			return q, "mostly of letters that are also written as others (ss and ß, σ and ς), and can be asked for in too many spellings"
		}
		q.likes = each(patterns, spaced)
		if slices.ContainsFunc(q.likes, over) { // the text may be shorter, and be held
			return question{}, "too long to be asked for in all its spellings"
		}
		if d.def.Strategy == syncdef.MatchName && strings.Contains(r.Key, " ") {
			q.likes = append(q.likes, each(texts, spaced)...)
		} else {
			q.equals = each(texts, quoted)
		}
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

// spellings are texts and patterns of which the vendor's own comparison takes one for a
// stored value that has the record's key: an address's domain in all spellings, both
// Unicode forms, letters that case turns into others, which a comparison letter by letter
// does not, and what the row writes. Where only the case tells a text and the row apart the
// row's is asked for alone: whether the field leaves out the case or not, it is the right
// one. It reports false for a key that so many letters leave open that a pattern would find
// nearly anything.
func (d *destination) spellings(r *dest.Record) (texts, patterns []string, ok bool) {
	own, forms := d.written(r), []string{r.Key}
	if d.identity.Has(row.StepNFC) && !ascii(r.Key) {
		forms = distinct(r.Key, norm.NFC.String(r.Key), norm.NFD.String(r.Key))
	}
	switch {
	case d.identity.Has(row.StepEmail):
		if at := strings.LastIndexByte(r.Key, '@') + 1; at > 0 {
			forms = each(address.Spellings(r.Key[at:]), func(s string) string { return r.Key[:at] + s })
		}
		texts = forms
	case d.identity.Has(row.StepLetters) && own != "":
		return []string{own}, nil, true // which is all that the vendor's comparison takes for one
	case !d.identity.Has(row.StepLower):
		texts = forms
	default:
		for _, s := range forms {
			if n := mixtures(s); n > maxSpellings || n > 1 && n*d.room(s)*len(forms) > maxAddress {
				pattern, ok := opened(s)
				if !ok {
					return nil, nil, false
				}
				patterns = append(patterns, pattern)
				continue
			}
			texts = distinct(append(texts, mixed(s)...)...)
		}
		if len(patterns) > 0 {
			return texts, patterns, true
		}
	}
	if own == "" {
		return texts, nil, true
	}
	if d.identity.Has(row.StepLower) {
		for _, form := range distinct(own, norm.NFC.String(own), norm.NFD.String(own)) {
			if at := slices.Index(texts, strings.ToLower(form)); at >= 0 {
				texts[at] = form
			}
		}
		lower := strings.ToLower(own)
		if slices.ContainsFunc(texts, func(s string) bool { return strings.ToLower(s) == lower }) {
			return distinct(texts...), nil, true
		}
	}
	return distinct(append(texts, own)...), nil, true
}

// room is what a text takes of a query's address.
func (d *destination) room(s string) int {
	return question{likes: []string{spaced(s)}}.size(d.def.Match.Destination)
}

// written is the match value as the row has it, but for white space that the
// version's identity leaves out.
func (d *destination) written(r *dest.Record) string {
	text := string(d.identity.Trim([]byte(r.Match)))
	if !d.identity.Has(row.StepSpace) {
		return text
	}
	lead, words, end := ends(text)
	return lead + strings.Join(words, " ") + end
}

// ends are a text's words, and the white space around them.
func ends(s string) (lead string, words []string, end string) {
	inner := strings.TrimSpace(s)
	if lead = s[:len(s)-len(strings.TrimLeftFunc(s, unicode.IsSpace))]; inner != "" {
		end = s[len(lead)+len(inner):]
	}
	return lead, strings.Fields(inner), end
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// A folding is a letter and what the identity takes it for.
type folding struct{ from, to string }

var folded = []folding{{"ß", "ss"}, {"ς", "σ"}, {"µ", "μ"}, {"İ", "i\u0307"}}

// unfolded is the letter that may stand for what s begins with, and for how much of it.
func unfolded(s string) (from string, n int) {
	for _, f := range folded {
		if strings.HasPrefix(s, f.to) {
			return f.from, len(f.to)
		}
	}
	return "", 0
}

// mixtures is how many texts mixed makes of s: more than maxSpellings is too many.
func mixtures(s string) int {
	if !slices.ContainsFunc(folded, func(f folding) bool { return strings.Contains(s, f.to) }) {
		return 1
	}
	counts := make([]int, len(s)+1) // of what begins at a byte
	counts[len(s)] = 1
	for i := len(s) - 1; i >= 0; i-- {
		counts[i] = counts[i+1]
		if _, n := unfolded(s[i:]); n > 0 {
			counts[i] = min(counts[i+1]+counts[i+n], maxSpellings+1)
		}
	}
	return counts[0]
}

// mixed are all texts with some of the foldings in s undone, s itself first.
func mixed(s string) []string {
	for i := range s {
		from, n := unfolded(s[i:])
		if n == 0 {
			continue
		}
		_, size := utf8.DecodeRuneInString(s[i:])
		var out []string
		for _, rest := range mixed(s[i+size:]) {
			out = append(out, s[:i+size]+rest)
		}
		for _, rest := range mixed(s[i+n:]) {
			out = append(out, s[:i]+from+rest)
		}
		return out
	}
	return []string{s}
}

// anything stands in a pattern, before it is escaped, for one character or more.
const anything = "\xff"

// opened is a pattern that leaves open what mixed spells out. It reports false where it
// has fewer letters than it leaves open.
func opened(s string) (pattern string, ok bool) {
	var out strings.Builder
	plain, open := 0, 0
	for i := 0; i < len(s); {
		_, n := unfolded(s[i:])
		if n == 0 {
			_, n = utf8.DecodeRuneInString(s[i:])
			out.WriteString(s[i : i+n])
			plain, i = plain+1, i+n
			continue
		}
		for n > 0 { // of sss the last may be one with either
			i, open = i+n, open+1
			if _, n = unfolded(s[i:]); n == 0 && i < len(s) && s[i] == 's' && s[i-1] == 's' {
				n = 1
			}
		}
		out.WriteString(anything)
	}
	return out.String(), plain >= open
}

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
	lead, words, end := ends(s)
	return "'" + escapeLike.Replace(lead+strings.Join(words, anything)+end) + "'"
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
