package sample

import (
	"fmt"
	"strings"
)

// A word is one half of a company's name, and what becomes of it in a domain.
type word struct{ name, slug string }

// Some carry an apostrophe, an ampersand, a quote or a letter beyond ASCII, since
// these are what gets mangled on such roads.
var firstWords = []word{
	{"Acme", "acme"}, {"Northwind", "northwind"}, {"Müller", "mueller"}, {"O'Brien", "obrien"}, {"Globex", "globex"}, {"Initech", "initech"},
	{"Blue Harbor", "blueharbor"}, {"Ångström", "angstroem"}, {"Silverline", "silverline"}, {"Cedar & Pine", "cedarpine"}, {"Kestrel", "kestrel"},
	{"Redwood", "redwood"}, {"Solaris", "solaris"}, {"Young \"Y\" Lee", "younglee"}, {"Vertex", "vertex"}, {"Zenith", "zenith"},
}

var secondWords = []word{
	{"Metals", "metals"}, {"Foods", "foods"}, {"& Sons", "sons"}, {"Robotics", "robotics"}, {"Logistics", "logistics"}, {"Health", "health"},
	{"Café", "cafe"}, {"Energy", "energy"}, {"Textiles", "textiles"}, {"Software", "software"}, {"Bank", "bank"}, {"Media <TV>", "media"},
	{"Labs", "labs"}, {"Airways", "airways"}, {"Insurance", "insurance"}, {"Farms", "farms"},
}

var givenNames = []string{"ada", "ben", "chidi", "dana", "emil", "farah", "grace", "hugo", "ines", "jun", "kofi", "lena", "mateo", "noor", "olga", "priya"}

var familyNames = []string{"abe", "brown", "costa", "diaz", "evans", "fischer", "garcia", "hansen", "ito", "jones", "kim", "lopez", "meyer", "novak", "okafor", "patel"}

func names(words []word) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = w.name
	}
	return out
}

func slugs(words []word) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = w.slug
	}
	return out
}

// pick is SQL that chooses a text by a column that counts from 0.
func pick(column string, texts []string) string {
	var b strings.Builder
	b.WriteString("CASE " + column)
	for i, t := range texts {
		fmt.Fprintf(&b, " WHEN %d THEN '%s'", i, strings.ReplaceAll(t, "'", "''"))
	}
	return b.String() + " END"
}
