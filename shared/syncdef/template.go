package syncdef

import (
	"fmt"
	"strings"
)

// A Template is a value that is made of constant text and columns, in order, as in
// "{{first_name}} {{last_name}}". One without columns is a constant.
type Template []Part

// A Part is constant text, or the value of a column.
type Part struct {
	Text   string
	Column string // "" is constant text
	At     int    // where the part begins in the text of the template, in bytes
}

// A TemplateError says what is wrong with a template, and where.
type TemplateError struct {
	At      int // in bytes
	Message string
}

// Error makes a TemplateError usable as an error.
func (e *TemplateError) Error() string { return e.Message }

// braces begin a column in a template; a backslash before them makes them text.
const braces = "{{"

// ParseTemplate reads a template. {{column}} stands for a column, with blanks around
// its name; \{{ is {{ as text, \\{{ a backslash before a column; any other backslash
// and brace is itself. The error is a *TemplateError.
func ParseTemplate(s string) (Template, error) {
	var out Template
	text, begun := "", 0
	flush := func(next int) {
		if text != "" {
			out = append(out, Part{Text: text, At: begun})
		}
		text, begun = "", next
	}
	for at := 0; ; {
		open := strings.Index(s[at:], braces)
		if open < 0 {
			text += s[at:]
			flush(len(s))
			return out, nil
		}
		open += at
		slashes := open - len(strings.TrimRight(s[at:open], `\`)) - at
		text += s[at:open-slashes] + strings.Repeat(`\`, slashes/2)
		if slashes%2 == 1 {
			text += braces
			at = open + len(braces)
			continue
		}
		flush(open)
		name, size, err := placeholder(s[open:])
		if err != "" {
			return nil, &TemplateError{At: open, Message: err}
		}
		out = append(out, Part{Column: name, At: open})
		at = open + size
		begun = at
	}
}

// placeholder reads the column at the beginning of s, and how many bytes it takes.
func placeholder(s string) (name string, size int, fault string) {
	inner := s[len(braces):]
	end := strings.Index(inner, "}}")
	if next := strings.Index(inner, braces); end < 0 || next >= 0 && next < end {
		return "", 0, `{{ is not closed; write {{column}}, or \{{ where braces are meant`
	}
	name = strings.TrimSpace(inner[:end])
	switch {
	case name == "":
		return "", 0, `{{}} names no column; write {{column}}, or \{{ where braces are meant`
	case strings.Contains(name, "|"):
		return "", 0, "{{ }} takes a column's name alone: there are no filters; use transform for the whole value, or make the value in the model"
	case strings.ContainsAny(name, "{}\"'`\n"):
		return "", 0, "{{ }} takes a column's name alone, without quotes and braces"
	}
	return name, len(braces) + end + len("}}"), ""
}

// Columns are the columns of the template, in its order.
func (t Template) Columns() []string {
	var out []string
	for _, p := range t {
		if p.Column != "" {
			out = append(out, p.Column)
		}
	}
	return out
}

// Columns are the columns that the field is made of: its source, or those of its
// template; none of a constant, and of a template that cannot be read.
func (f *Field) Columns() []string {
	if f.Value == nil {
		return []string{f.Source}
	}
	t, err := ParseTemplate(*f.Value)
	if err != nil {
		return nil
	}
	return t.Columns()
}

// Constant is the field's value where it is the same for all rows.
func (f *Field) Constant() (text string, is bool) {
	if f.Value == nil {
		return "", false
	}
	t, err := ParseTemplate(*f.Value)
	if err != nil || len(t.Columns()) > 0 {
		return "", false
	}
	for _, p := range t {
		text += p.Text
	}
	return text, true
}

// From says what the field is made of, for messages: the column, or the value as the
// definition writes it.
func (f *Field) From() string {
	if f.Value == nil {
		return f.Source
	}
	return fmt.Sprintf("value %q", *f.Value)
}
