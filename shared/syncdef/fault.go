package syncdef

import (
	"fmt"
	"slices"
	"strings"
)

// A Fault is one thing that is wrong with a definition, for its author.
type Fault struct {
	File    string // as it was given to the reader
	Line    int    // 1-based; 0 when the fault has no place in the text
	Column  int    // 1-based
	Path    string // field_mappings[2].scale; "" for the whole file
	Message string // what is wrong and what is allowed
}

// Error prints the fault as file:line:col: message, which editors can jump to.
func (f Fault) Error() string { return place(f.File, f.Line, f.Column) + f.Message }

// Faults are all faults of one or more files. A reader returns them as its error.
type Faults []Fault

// Error prints one fault a line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, one := range f {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Err is the faults as an error, nil when there are none.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

// Sort orders faults as a person reads them: by file, then by place.
func (f Faults) Sort() {
	slices.SortStableFunc(f, func(a, b Fault) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
}

// A Notice is a key that is valid but without effect, so that nothing in a
// definition is ignored in silence.
type Notice struct {
	File    string
	Line    int
	Column  int
	Key     string // notifications, incremental.always
	Message string
}

// String prints the notice as file:line:col: key: message.
func (n Notice) String() string {
	return place(n.File, n.Line, n.Column) + n.Key + ": " + n.Message
}

// NoSource is what store_source: none gives up.
const NoSource = "without its source a failed row is not tried again by itself, and penstock_retry cannot send it; only the next run or push does"

func place(file string, line, column int) string {
	if line == 0 {
		return file + ": "
	}
	return fmt.Sprintf("%s:%d:%d: ", file, line, column)
}

// Connections are those of one connections.yaml, sorted by name.
type Connections []Connection

// Find returns the connection of that name.
func (c Connections) Find(name string) (Connection, bool) {
	for _, one := range c {
		if one.Name == name {
			return one, true
		}
	}
	return Connection{}, false
}

// OfType returns the connections to one vendor.
func (c Connections) OfType(kind string) Connections {
	var out Connections
	for _, one := range c {
		if one.Type == kind {
			out = append(out, one)
		}
	}
	return out
}

// Names lists the names, for messages.
func (c Connections) Names() []string {
	out := make([]string, len(c))
	for i, one := range c {
		out[i] = one.Name
	}
	return out
}
