package metadata

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// field holds one mapping against its field.
func (c *checker) field(n int) {
	m, path := &c.def.Fields[n], fmt.Sprintf("field_mappings[%d].", n)
	f, within := c.object.target(m.Destination)
	if f == nil {
		if !c.object.Makes {
			c.unknown(path+"destination", m.Destination)
		}
		return
	}
	if !c.writable(path, f) {
		return
	}
	if within {
		if len(f.Takes) > 0 && !slices.Contains(f.Takes, syncdef.JSON) {
			c.fault(path+"destination", "%s leads into %s %s, which is of type %s and holds no object", short(m.Destination), c.object.word(), f.Name, f.Type)
		}
		return // what an object holds is not described
	}
	if !takes(f, m) {
		c.fault(path+"data_type", "%s, but %s %s is of type %s: write data_type: %s", typeOf(m), c.object.word(), f.Name, f.Type, f.Takes[0])
		return // what else there is to say depends on the type
	}
	c.null(path, f, m)
	c.length(path, f, m)
	c.options(path, f, m)
	c.number(path, f, m)
}

// writable reports whether the rows may give the field a value.
func (c *checker) writable(path string, f *Field) bool {
	var when string
	switch {
	case f.NoCreate && f.NoUpdate:
		when = "cannot be written"
	case f.NoUpdate && changes(c.def):
		when = "can be given to new records only, and operation: " + string(c.def.Operation) + " changes records"
	case f.NoCreate && creates(c.def):
		when = "cannot be given to new records"
	default:
		return true
	}
	c.fault(path+"destination", "%s %s %s: %s", c.object.word(), f.Name, when, f.why())
	return false
}

// why is Why, or what is always possible.
func (f *Field) why() string {
	if f.Why != "" {
		return f.Why
	}
	return "remove this mapping"
}

// typeOf is a mapping's data type.
func typeOf(m *syncdef.Field) syncdef.Type {
	if m.Type == "" {
		return syncdef.String
	}
	return m.Type
}

func takes(f *Field, m *syncdef.Field) bool {
	return len(f.Takes) == 0 || slices.Contains(f.Takes, typeOf(m))
}

// null tells of a mapping that may send a null which the field refuses.
func (c *checker) null(path string, f *Field, m *syncdef.Field) {
	if f.NoNull && m.OnNull != syncdef.SkipNull && m.OnNull != syncdef.DefaultNull && len(m.Columns()) > 0 {
		c.notice(path+"on_null", "%s %s is never empty, and a row whose value is null is refused: write default, or on_null: skip", c.object.word(), f.Name)
	}
}

// lengthy are the data types whose values have a length.
var lengthy = []syncdef.Type{syncdef.String, syncdef.Email, syncdef.Picklist, syncdef.MultiPicklist}

// large is the length from which on hardly a text is too long.
const large = 1000

// length wants texts to fit.
func (c *checker) length(path string, f *Field, m *syncdef.Field) {
	if f.Length == 0 || !slices.Contains(lengthy, typeOf(m)) {
		return
	}
	for _, v := range given(m) {
		if n := len(utf16.Encode([]rune(v.text))); n > f.Length {
			c.fault(path+v.key, "%s has %d characters, but %s %s takes %d", quoted(v.text), n, c.object.word(), f.Name, f.Length)
		}
	}
	switch {
	case m.MaxLength > f.Length:
		c.fault(path+"max_length", "%d, but %s %s takes %d characters", m.MaxLength, c.object.word(), f.Name, f.Length)
	case m.MaxLength == 0 && len(m.Values) == 0 && len(m.Columns()) > 0 && len(f.Options) == 0 && f.Length < large:
		c.loose = append(c.loose, fmt.Sprintf("%s (%d)", f.Name, f.Length))
	}
}

// A value is one that a mapping writes out.
type value struct{ key, text string }

// given are the values that a mapping may send of its own.
func given(m *syncdef.Field) []value {
	var out []value
	for i, v := range m.Values {
		out = append(out, value{fmt.Sprintf("values[%d]", i), v})
	}
	if m.Default != nil {
		out = append(out, value{"default", *m.Default})
	}
	if constant, is := m.Constant(); is {
		out = append(out, value{"value", constant})
	}
	return out
}

// options wants each value that a mapping may send to be one that the field offers.
func (c *checker) options(path string, f *Field, m *syncdef.Field) {
	if len(f.Options) == 0 {
		return
	}
	for _, v := range given(m) {
		parts := []string{v.text}
		if f.Several {
			parts = strings.Split(v.text, ";")
		}
		for _, one := range parts {
			c.option(path+v.key, f, one)
		}
	}
}

func (c *checker) option(path string, f *Field, v string) {
	if v == "" {
		return
	}
	var active []string
	for _, o := range f.Options {
		switch same := o.Value == v || c.object.Fold && strings.EqualFold(o.Value, v); {
		case same && o.Inactive:
			c.fault(path, "%s is an inactive value of %s %s: activate it, or leave it out", quoted(v), c.object.word(), f.Name)
			return
		case same && o.Hidden:
			c.notice(path, "%s is a hidden value of %s %s: it is taken, and not shown to people", quoted(v), c.object.word(), f.Name)
			return
		case same:
			return
		case !o.Inactive && !o.Hidden:
			active = append(active, o.Value)
		}
	}
	for _, o := range f.Options {
		if !o.Inactive && !strings.EqualFold(o.Value, v) && strings.EqualFold(o.Label, v) {
			c.fault(path, "%s is how %s %s shows a value; what is sent is %s", quoted(v), c.object.word(), f.Name, quoted(o.Value))
			return
		}
	}
	say := c.fault
	if f.Open {
		say = c.notice
	}
	if near := syncdef.Nearest(v, active); near != "" {
		say(path, "%s is no value of %s %s; did you mean %s?", quoted(v), c.object.word(), f.Name, quoted(near))
		return
	}
	say(path, "%s is no value of %s %s, which has: %s", quoted(v), c.object.word(), f.Name, shortList(active))
}

// number wants numbers to fit.
func (c *checker) number(path string, f *Field, m *syncdef.Field) {
	if f.Precision == 0 || typeOf(m) != syncdef.Number && typeOf(m) != syncdef.Integer {
		return
	}
	whole := f.Precision - f.Scale
	for _, bound := range []value{{"min", m.Min}, {"max", m.Max}} {
		if n := digits(bound.text); n > whole {
			c.fault(path+bound.key, "%s has %d digits before the point, but %s %s takes %d", bound.text, n, c.object.word(), f.Name, whole)
		}
	}
	for _, v := range given(m) {
		if n := digits(v.text); n > whole {
			c.fault(path+v.key, "it has %d digits before the point, but %s %s takes %d", n, c.object.word(), f.Name, whole)
		}
	}
	if m.Scale != nil && *m.Scale > f.Scale {
		c.notice(path+"scale", "%d, but %s %s keeps %d digits after the point: values are rounded there", *m.Scale, c.object.word(), f.Name, f.Scale)
	}
}

// digits are those of a decimal before its point; of one with an exponent they are not
// counted.
func digits(decimal string) int {
	whole, _, _ := strings.Cut(strings.TrimLeft(decimal, "+-"), ".")
	if strings.Trim(whole, "0123456789") != "" {
		return 0
	}
	return len(strings.TrimLeft(whole, "0"))
}

func quoted(s string) string { return strconv.Quote(short(s)) }
