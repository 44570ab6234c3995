package hubspot

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// An input is one record of a batch.
type input struct {
	ID         *string                    `json:"id"`
	IDProperty string                     `json:"idProperty"`
	Trace      string                     `json:"objectWriteTraceId"`
	Properties map[string]json.RawMessage `json:"properties"`
}

// firstID is the id of an object's first record.
const firstID = 1_000_001

func idOf(row int) string { return strconv.Itoa(firstID + row) }

// rowOf is the living row of an id, or of the record that this one was merged into; -1
// when there is none.
func (o *object) rowOf(id string) int {
	n, err := strconv.Atoi(id)
	row := n - firstID
	if into, is := o.merged[row]; is {
		row = into
	}
	if err == nil && row >= 0 && row < o.table.Rows() && !o.table.Deleted(row) {
		return row
	}
	return -1
}

// objectName is what an administrator may call an object in full, and an object's id
// ("Custom objects").
var objectName = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9_]*|2-[0-9]+)$`)

// object finds an object by name, singular or id, and makes one that is accepted.
func (s *Server) object(name string, make bool) (*object, *failure) {
	for _, o := range s.objects {
		if name == o.ID || strings.EqualFold(name, o.Name) || strings.EqualFold(name, o.Singular) {
			return o, nil
		}
	}
	if !make || !s.opts.Accept || !objectName.MatchString(name) {
		return nil, invalid("Unable to infer object type from: %s", name)
	}
	spec := records.Spec{Name: name}
	for _, p := range system(false) {
		spec.Columns = append(spec.Columns, p.column())
	}
	t, err := s.store.AddTable(spec)
	if err != nil {
		return nil, &failure{status: http.StatusInternalServerError, Message: err.Error()}
	}
	s.notice("accepted an object that the account lacks: " + name)
	return s.add(Object{Name: name, Singular: name, ID: fmt.Sprintf("2-%d", 1000+len(s.objects)+1)}, t), nil
}

func (s *Server) notice(line string) {
	if s.opts.Notice != nil {
		s.opts.Notice(line)
	}
}

// newProperty makes a property.
func (s *Server) newProperty(o *object, p Property) *failure {
	if _, err := s.store.AddColumn(o.table, p.column()); err != nil {
		return &failure{status: http.StatusInternalServerError, Message: err.Error()}
	}
	o.Properties = append(o.Properties, p)
	return nil
}

// known wants every property to be there and writable; they fail the whole call. One
// that records are named by is accepted with unique values.
func (s *Server) known(o *object, inputs []input) *failure {
	var bad []badValue
	for _, in := range inputs {
		if _, there := o.property(in.IDProperty); !there && s.opts.Accept && propertyName.MatchString(in.IDProperty) {
			if failed := s.newProperty(o, Property{Name: in.IDProperty, Type: "string", FieldType: "text", Unique: true}); failed != nil {
				return failed
			}
			s.notice("accepted a property of unique values that the account lacks: " + o.Name + "." + in.IDProperty)
		}
		for _, name := range slices.Sorted(maps.Keys(in.Properties)) {
			p, there := o.property(name)
			switch {
			case slices.ContainsFunc(bad, func(b badValue) bool { return b.Name == name }):
			case !there && s.opts.Accept && propertyName.MatchString(name):
				if failed := s.newProperty(o, Property{Name: name, Type: "string", FieldType: "text"}); failed != nil {
					return failed
				}
				s.notice("accepted a property that the account lacks: " + o.Name + "." + name)
			case !there:
				bad = append(bad, badValue{Message: fmt.Sprintf("Property %q does not exist", name), Error: "PROPERTY_DOESNT_EXIST", Name: name})
			case p.ReadOnly:
				bad = append(bad, badValue{Message: fmt.Sprintf("%q is a read only property; its value cannot be set.", name), Error: "READ_ONLY_VALUE", Name: name})
			}
		}
	}
	if len(bad) > 0 {
		return notValid(bad)
	}
	return nil
}

// A plan is what one input would do.
type plan struct {
	row     int // records.NewRow makes one
	changes []records.Change
	names   []string
	failed  *failure
}

// texts are an input's values; a value that is no text is refused by the reader, and
// with it the whole call.
func texts(in input) (map[string]string, *failure) {
	out := map[string]string{}
	for name, raw := range in.Properties {
		var text *string
		if json.Unmarshal(raw, &text) != nil || text == nil {
			return nil, invalid("Invalid input JSON: Cannot deserialize value of type `java.lang.String` from %s", raw)
		}
		out[name] = *text
	}
	return out, nil
}

// plan judges the values of an input for a row; taken are the unique values of the
// call's other inputs.
func (s *Server) plan(o *object, row int, values map[string]string, taken map[string]int, at int) plan {
	out := plan{row: row, names: slices.Sorted(maps.Keys(values))}
	var bad []badValue
	for _, name := range out.names {
		p, _ := o.property(name)
		column, _ := o.table.Lookup(name)
		before := ""
		if row >= 0 {
			before = string(o.table.Get(row, column))
		}
		text, wrong := p.kept(values[name], before)
		if wrong != nil {
			bad = append(bad, *wrong)
			continue
		}
		if p.Unique && text != "" {
			if clash := o.holder(p, column, text); clash >= 0 && clash != row {
				out.failed = &failure{status: http.StatusConflict, Category: "CONFLICT", Message: conflict(o, p, text, idOf(clash))}
				return out
			}
			key := name + "\x00" + o.canonical(name, text)
			if other, there := taken[key]; there && other != at {
				out.failed = &failure{status: http.StatusConflict, Category: "CONFLICT", Message: conflict(o, p, text, "0")}
				return out
			}
			taken[key] = at
		}
		out.changes = append(out.changes, records.Change{Column: column, Text: []byte(text)})
	}
	if len(bad) > 0 {
		out.failed = notValid(bad)
		return out
	}
	if row < 0 {
		var lacks []string
		for _, p := range o.Properties {
			if p.Required && values[p.Name] == "" {
				lacks = append(lacks, p.Name)
			}
		}
		if len(lacks) > 0 {
			out.failed = invalid("Error creating %s. Some required properties were not set.", strings.ToUpper(o.Singular))
			out.failed.Context = map[string][]string{"properties": lacks}
		}
	}
	return out
}

func conflict(o *object, p *Property, value, id string) string {
	if p.Name == propEmail && o.contacts() {
		return "Contact already exists. Existing ID: " + id
	}
	return fmt.Sprintf("%s is already the value of property %s of object %s", value, p.Name, id)
}

// holder is the living row that has a unique value, -1 for none; a contact answers to
// its secondary addresses too.
func (o *object) holder(p *Property, column int, text string) int {
	if rows := o.table.Find(nil, column, []byte(text)); len(rows) > 0 {
		return rows[0]
	}
	if p.Name == propEmail && o.contacts() {
		if row, there := o.secondary[strings.ToLower(text)]; there && !o.table.Deleted(row) {
			return row
		}
	}
	return -1
}

// unique refuses a property that records cannot be named by. email is one for upserts and
// single records only.
func (o *object) unique(name, verb string) *failure {
	if p, there := o.property(name); !there || !p.Unique || name == propEmail && verb == "update" {
		return invalid("Unable to perform update/upsert by non-unique %s property %s", o.ID, name)
	}
	return nil
}

// find is the row that an id and its property name, -1 for none: also where the property
// holds numbers and the id is not written as one.
func (o *object) find(id, property string) int {
	if property == "" || property == propID {
		return o.rowOf(id)
	}
	p, _ := o.property(property)
	column, _ := o.table.Lookup(property)
	if id = p.trimmed(id); p.Type == "number" && !decimals.MatchString(id) {
		return -1
	}
	return o.holder(p, column, id)
}
