package lesson

import "strings"

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

var givenNames = []string{"Ada", "Ben", "Chidi", "Dana", "Emil", "Farah", "Grace", "Hugo", "Ines", "Jun", "Kofi", "Lena", "Mateo", "Noor", "Olga", "Priya"}

var familyNames = []string{"Abe", "Brown", "Costa", "Diaz", "Evans", "Fischer", "Garcia", "Hansen", "Ito", "Jones", "Kim", "Lopez", "Meyer", "Novak", "Okafor", "Patel"}

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

// list is a SQL list of texts.
func list(texts []string) string {
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = "'" + strings.ReplaceAll(t, "'", "''") + "'"
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
