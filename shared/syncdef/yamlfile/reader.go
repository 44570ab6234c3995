package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// maxFile keeps a file given by mistake (a data dump) from being read as YAML.
const maxFile = 1 << 20

// maxFaults is more than anybody mends at once, and bounds the work on such a file.
const maxFaults = 200

// A reader gathers what there is to say about one file.
type reader struct {
	file    string
	faults  syncdef.Faults
	notices []syncdef.Notice
	places  map[string]at // where each path stands, for faults found later
}

type at struct{ line, column int }

func (r *reader) fault(n *yaml.Node, path, format string, args ...any) {
	if n.Kind == yaml.AliasNode || len(r.faults) >= maxFaults {
		return // an alias is reported once, by refuseAliases
	}
	r.faults = append(r.faults, syncdef.Fault{
		File: r.file, Line: n.Line, Column: n.Column, Path: path, Message: fmt.Sprintf(format, args...),
	})
}

func (r *reader) notice(n *yaml.Node, key, message string) {
	r.notices = append(r.notices, syncdef.Notice{
		File: r.file, Line: n.Line, Column: n.Column, Key: key, Message: message,
	})
}

// document reads the one YAML document of a file, nil when there is none. what
// says what the file should be.
func (r *reader) document(src []byte, what string) *yaml.Node {
	top := &yaml.Node{Line: 1, Column: 1}
	if len(src) > maxFile {
		r.fault(top, "", "the file has %d bytes; %s has at most %d", len(src), what, maxFile)
		return nil
	}
	if where, what := unreadable(src); what != "" {
		r.fault(&yaml.Node{Line: where.line, Column: where.column}, "", "%s", what)
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(src))
	var doc, more yaml.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) || (err == nil && isNull(doc.Content[0])) {
		r.fault(top, "", "the file is empty; it must hold %s", what)
		return nil
	}
	if err != nil {
		r.syntax(src, err)
		return nil
	}
	switch err := dec.Decode(&more); {
	case err == nil:
		r.fault(second(src, more), "", "a second document begins here; a file holds one definition, so delete the --- or make another file")
		return nil
	case !errors.Is(err, io.EOF):
		r.syntax(src, err)
		return nil
	}
	r.refuseAliases(doc.Content[0])
	return doc.Content[0]
}

// second is the separator before a file's second document.
func second(src []byte, doc yaml.Node) *yaml.Node {
	lines := source(strings.Split(string(src), "\n"))
	for n := max(1, doc.Line); n > 0; n-- {
		if strings.HasPrefix(lines.line(n), "---") {
			return &yaml.Node{Line: n, Column: 1}
		}
	}
	return &doc
}

// refuseAliases reports anchors in use and merges: a definition is read by people
// who did not write it, and an alias could expand without bound.
func (r *reader) refuseAliases(n *yaml.Node) {
	switch {
	case len(r.faults) >= maxFaults:
		return
	case n.Kind == yaml.AliasNode:
		r.faults = append(r.faults, syncdef.Fault{File: r.file, Line: n.Line, Column: n.Column,
			Message: fmt.Sprintf("the alias *%s is not supported; write the value out, or quote it if it is text", n.Value)})
		return
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!merge":
		r.fault(n, "", "the merge key << is not supported; write the keys out")
	}
	r.refuseTypography(n)
	for _, c := range n.Content {
		r.refuseAliases(c)
	}
}

// refuseTypography reports a text in quotes that are none to YAML, as word
// processors write them: they would be a part of the value.
func (r *reader) refuseTypography(n *yaml.Node) {
	const marks = "“”„‟‘’‚‛«»"
	first, _ := utf8.DecodeRuneInString(n.Value)
	last, _ := utf8.DecodeLastRuneInString(n.Value)
	if n.Kind == yaml.ScalarNode && n.Style == 0 && strings.ContainsRune(marks, first) && strings.ContainsRune(marks, last) {
		r.fault(n, "", "%c and %c are no quotes of YAML and would be a part of the value; write \" or '", first, last)
	}
}

// place remembers where a path's value stands.
func (r *reader) place(path string, n *yaml.Node) { r.places[path] = at{n.Line, n.Column} }

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// kind names what a node is, for messages.
func kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "empty"
	case "!!int", "!!float":
		return "the number " + n.Value
	case "!!bool":
		return "the boolean " + n.Value
	case "!!str":
		return strconv.Quote(shorten(n.Value))
	default:
		return "a " + n.ShortTag()
	}
}

// shorten keeps a message to one readable line.
func shorten(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func item(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// each visits the items of a list.
func (r *reader) each(n *yaml.Node, path string, visit func(n *yaml.Node, path string)) {
	if n.Kind != yaml.SequenceNode {
		r.fault(n, path, "%s must be a list, not %s", path, kind(n))
		return
	}
	for i, c := range n.Content {
		visit(c, item(path, i))
	}
}
