package mapping

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A node is a field of the destination, or a part of one that is built of several of
// the definition's fields.
type node struct {
	name  string // of the field or member; "" of an element
	label []byte // the name as a JSON member: "name":
	field int    // position in Program.fields; -1 where the node is built
	list  bool   // it is built as a list, else as an object
	nodes []*node
}

// compileOutputs names the destination's fields, and says how those are built that
// several of the definition's fields lead into. Names differ by more than case.
func (p *Program) compileOutputs(fields []syncdef.Field, nested bool) error {
	if !nested {
		for _, f := range fields {
			p.names = append(p.names, f.Destination)
		}
		return nil
	}
	root := &node{field: -1}
	for i, f := range fields {
		path, err := syncdef.ParsePath(f.Destination)
		if err != nil {
			return fmt.Errorf("field %s: destination: %w", f.Destination, err)
		}
		if err := root.add(path, i); err != nil {
			return fmt.Errorf("field %s: destination: %w", f.Destination, err)
		}
	}
	if err := root.whole(""); err != nil {
		return err
	}
	p.outputs = root.nodes
	for _, n := range p.outputs {
		p.names = append(p.names, n.name)
	}
	return nil
}

// add puts a field at the end of a path.
func (n *node) add(path syncdef.Path, field int) error {
	for i, step := range path {
		isList := step.Name == ""
		if n.field >= 0 || len(n.nodes) > 0 && n.list != isList {
			return fmt.Errorf("%s is written by another field, of another form", path[:i])
		}
		n.list = isList
		next := n.find(step)
		if next == nil {
			next = &node{name: step.Name, field: -1}
			if !isList {
				next.label = append(rawjson.AppendQuote(nil, step.Name), ':')
			}
			for n.list && len(n.nodes) < step.Index {
				n.nodes = append(n.nodes, nil) // whole tells if it stays so
			}
			if n.list && len(n.nodes) > step.Index {
				n.nodes[step.Index] = next
			} else {
				n.nodes = append(n.nodes, next)
			}
		}
		n = next
	}
	if n.field >= 0 || len(n.nodes) > 0 {
		return fmt.Errorf("%s is written by another field already", path)
	}
	n.field = field
	return nil
}

func (n *node) find(step syncdef.Step) *node {
	if step.Name == "" {
		if step.Index < len(n.nodes) {
			return n.nodes[step.Index]
		}
		return nil
	}
	for _, c := range n.nodes {
		if strings.EqualFold(c.name, step.Name) {
			return c
		}
	}
	return nil
}

// whole wants every element of a list.
func (n *node) whole(path string) error {
	for i, c := range n.nodes {
		if c == nil {
			return fmt.Errorf("destination: %s[%d] is missing: the elements of a list are counted from 0, without a gap", path, i)
		}
		at := path + "." + c.name
		if path == "" {
			at = c.name
		}
		if n.list {
			at = fmt.Sprintf("%s[%d]", path, i)
		}
		if err := c.whole(at); err != nil {
			return err
		}
	}
	return nil
}

// nest makes the destination's fields of the definition's.
func (m *Mapper) nest(out, fields []jsontext.Value) []jsontext.Value {
	out = out[:0]
	for _, n := range m.p.outputs {
		out = append(out, m.built(n, fields))
	}
	return out
}

// built is a node's value: nil where all of its parts are left alone, null where none
// of them holds a value. A part that is left alone is left out.
func (m *Mapper) built(n *node, fields []jsontext.Value) jsontext.Value {
	if n.field >= 0 {
		return fields[n.field]
	}
	some, holds := n.state(fields)
	switch {
	case !some:
		return nil
	case !holds:
		return jsonNull
	}
	start := len(m.buf)
	m.build(n, fields)
	return m.from(start)
}

// state reports whether any part is there, and whether one holds a value.
func (n *node) state(fields []jsontext.Value) (some, holds bool) {
	if n.field >= 0 {
		v := fields[n.field]
		return v != nil, v != nil && !isNull(v)
	}
	for _, c := range n.nodes {
		s, h := c.state(fields)
		some, holds = some || s, holds || h
	}
	return some, holds
}

// build appends a node that holds a value.
func (m *Mapper) build(n *node, fields []jsontext.Value) {
	open, end := byte('{'), byte('}')
	if n.list {
		open, end = '[', ']'
	}
	m.buf = append(m.buf, open)
	first := true
	for _, c := range n.nodes {
		some, holds := c.state(fields)
		if !some {
			continue
		}
		if !first {
			m.buf = append(m.buf, ',')
		}
		first = false
		m.buf = append(m.buf, c.label...)
		switch {
		case !holds:
			m.buf = append(m.buf, jsonNull...)
		case c.field >= 0:
			m.buf = append(m.buf, fields[c.field]...)
		default:
			m.build(c, fields)
		}
	}
	m.buf = append(m.buf, end)
}
