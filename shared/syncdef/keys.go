package syncdef

// A Key is one key of the YAML. The reader, its messages, the JSON Schema and the
// configuration page are made from tables of them: DefinitionKeys and
// ConnectionKeys, and what each Kind adds.
type Key struct {
	Name    string
	Type    KeyType
	Allowed []string // KeyText: the values; nil is any
	Pattern string   // KeyText: a regular expression that the whole value matches; "" is any
	Example string   // beside Pattern, for the message: 68.0
	Min     int      // KeyInteger, inclusive; KeyDuration, in seconds
	Max     int      // likewise; 0 is none
	Default string   // as it would be written; "" is none, or one that depends on other keys, which Doc then tells
	Doc     string   // one sentence
	Needed  bool     // must be written
	Or      string   // must be written unless this other key is
	With    string   // may be written only beside this other key
	For     []Type   // the data types that a key of a field mapping has a use with; nil is all
	Keys    []Key    // KeyObject, KeyObjects: what the object may hold
}

// KeyType is what a key's value is.
type KeyType string

// The types of keys. A Kind's own keys are of the first three; those of its object in
// a definition may be texts too.
const (
	KeyText     KeyType = "text"
	KeyInteger  KeyType = "integer"
	KeyBoolean  KeyType = "boolean"
	KeyDuration KeyType = "duration" // 90s, 15m, 2h
	KeyDecimal  KeyType = "decimal"  // a number, or its digits as text
	KeyShare    KeyType = "share"    // 0 to 1, or a percentage
	KeyValue    KeyType = "value"    // any single value
	KeyValues   KeyType = "values"   // a list of single values
	KeyTexts    KeyType = "texts"    // a text or a list of them
	KeyObject   KeyType = "object"
	KeyObjects  KeyType = "objects" // a list of objects
)

// Named finds a key of a table.
func Named(table []Key, name string) (Key, bool) {
	for _, k := range table {
		if k.Name == name {
			return k, true
		}
	}
	return Key{}, false
}

// KeyNames lists a table's keys in its order.
func KeyNames(table []Key) []string {
	out := make([]string, len(table))
	for i, k := range table {
		out[i] = k.Name
	}
	return out
}

// texts makes a list of allowed values out of one of words.
func texts[T ~string](words []T) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = string(w)
	}
	return out
}
