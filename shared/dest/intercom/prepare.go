package intercom

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// prepare makes what is sent of a record. It answers the record's own fault, or a
// *dest.CallError where the workspace's attributes cannot be read or made, or the *refusal
// that asks to wait with one.
func (d *destination) prepare(ctx context.Context, r *dest.Record) (payload, *dest.Outcome, error) {
	p, b := payload{empty: true}, &body{}
	if r.ID == "" {
		role, has := "user", false
		for i := range r.Fields {
			has = has || r.Fields[i].Name == fieldRole && r.Fields[i].Value.Kind() == '"'
		}
		if !has {
			b.add(fieldRole, rawjson.AppendQuote(nil, role))
		}
		b.add(d.def.Match.Destination, rawjson.AppendQuote(nil, matchValue(r)))
	}
	for i := range r.Fields {
		f := &r.Fields[i]
		var fault *dest.Outcome
		var err error
		name, is := custom(f.Name)
		switch {
		case f.Name == fieldTags:
			p.tagged = true
			p.tags, fault = d.wanted(f.Value)
		case f.Name == fieldCustom:
			p.empty = false
			fault, err = d.flatten(ctx, b, f)
		case is:
			p.empty = false
			fault, err = d.attribute(ctx, b, name, f.Name, f.Value)
		case f.Name == fieldRole && f.Value.Kind() == 'n': // a contact always has one
		case r.ID == "" && f.Value.Kind() == 'n': // there is nothing to clear yet
		default:
			p.empty = false
			b.add(f.Name, d.standard(f.Name, f.Value))
		}
		if fault != nil || err != nil {
			return payload{}, fault, err
		}
	}
	p.body = b.bytes()
	return p, nil, nil
}

// attribute adds one custom attribute that the definition names.
func (d *destination) attribute(ctx context.Context, b *body, name, field string, v jsontext.Value) (*dest.Outcome, error) {
	t := d.types[field]
	a, known, err := d.attributes.find(ctx, name, d.wants(kindOf(t)))
	if u, ok := errors.AsType[*unmade](err); ok {
		return nil, u.call()
	}
	if err != nil {
		return nil, err
	}
	switch {
	case known == absent:
		o := d.unknown(field, "unknown_attribute")
		return &o, nil
	case known == there && !a.writable:
		return &dest.Outcome{Status: dest.Rejected, Scope: dest.ScopeVersion, Code: "read_only_attribute", Field: field,
			Message: "the custom attribute cannot be written over the API: allow it in Intercom (Settings, Data, People), or remove the mapping"}, nil
	}
	value, code, message := attributeValue(a, t, v)
	if code != "" {
		return &dest.Outcome{Status: dest.Rejected, Code: code, Field: field, Message: message}, nil
	}
	b.custom = member(b.custom, name, value)
	return nil, nil
}

// flatten adds the members of an object as custom attributes. An attribute that the
// workspace lacks, or that cannot be made, is the row's own failure: other rows' objects may
// not have it (I9).
func (d *destination) flatten(ctx context.Context, b *body, f *dest.Field) (*dest.Outcome, error) {
	if f.Value.Kind() == 'n' {
		return nil, nil
	}
	reject := func(code, message string) *dest.Outcome {
		return &dest.Outcome{Status: dest.Rejected, Code: code, Field: f.Name, Message: message}
	}
	object := unwrapped(f.Value, '{')
	if object.Kind() != '{' {
		return reject("not_an_object", "custom_attributes must be an object of attributes, such as OBJECT_CONSTRUCT makes"), nil
	}
	w := rawjson.Members(object)
	for w.Next() {
		name, v := string(w.Name()), w.Value()
		if !attributeName.MatchString(name) {
			return reject("bad_attribute_name", "the object has a member whose name no custom attribute can have; allowed: letters, digits, currency signs, blanks, - and _"), nil
		}
		if d.maps(name) {
			continue // the definition's own mapping of it counts
		}
		if k := v.Kind(); k == '{' || k == '[' { // of which no attribute can be made
			return reject("nested_attribute", "a custom attribute holds no object and no list: take it out of the object, or write as: flat, which makes attributes of its members and a text of a list"+called(name)), nil
		}
		a, known, err := d.attributes.find(ctx, name, d.wants(kindOfValue(v)))
		u, refused := errors.AsType[*unmade](err)
		switch {
		case refused:
			return u.member(name), nil
		case err != nil:
			return nil, err
		case known == absent && v.Kind() == 'n':
			continue // nothing to clear
		case known == absent:
			return reject("unknown_attribute", "the object has a member"+called(name)+" that is no custom attribute of the workspace: "+createRemedy), nil
		case known == there && !a.writable:
			return reject("read_only_attribute", "the object has a member"+called(name)+" that is a custom attribute which cannot be written over the API"), nil
		}
		value, code, message := attributeValue(a, "", v)
		if code != "" {
			return reject(code, message+called(name)), nil
		}
		b.custom = member(b.custom, name, value)
	}
	if w.Err() != nil {
		return reject("not_an_object", "custom_attributes must be an object of attributes"), nil
	}
	return nil, nil
}

// maps reports whether a mapping of its own writes a custom attribute.
func (d *destination) maps(name string) bool {
	_, alone := d.types[name]
	_, full := d.types[customPrefix+name]
	return alone || full
}

// plainName is what the author of a model calls a member; anything else may be a row's
// value that became a name (I6).
var plainName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,39}$`)

// called names an object's member in a message, where that is a plain name.
func called(name string) string {
	if !plainName.MatchString(name) {
		return ""
	}
	return " (" + name + ")"
}

// wants is the kind that an attribute is made as, "" where none is made.
func (d *destination) wants(kind string) string {
	if !d.options.CreateAttributes {
		return ""
	}
	return kind
}

const createRemedy = "create it in Intercom (Settings, Data, People), or set intercom: {create_attributes: true}"

// unknown is a definition's attribute that the workspace does not have.
func (d *destination) unknown(field, code string) dest.Outcome {
	o := dest.Outcome{Status: dest.Rejected, Code: code, Field: field}
	if field == "" || field == fieldCustom {
		o.Message = "the workspace has no such custom attribute: " + createRemedy
		return o
	}
	o.Scope = dest.ScopeVersion
	o.Message = "the workspace has no custom attribute for " + field + ": " + createRemedy
	return o
}

// wanted reads the tags of a row. One that the definition does not manage could be
// set and never be taken off again.
func (d *destination) wanted(v jsontext.Value) ([]string, *dest.Outcome) {
	tags, ok := tagsOf(v)
	if !ok {
		return nil, &dest.Outcome{Status: dest.Rejected, Code: "not_a_list", Field: fieldTags, Message: "tags must be a list of names, such as ARRAY_CONSTRUCT makes"}
	}
	for _, t := range tags {
		if !d.manages(t) {
			return nil, &dest.Outcome{Status: dest.Rejected, Code: "unmanaged_tag", Field: fieldTags,
				Message: "the row has a tag that begins with none of intercom.managed_tags, so that it could not be taken off again: add its beginning there"}
		}
	}
	return tags, nil
}

// manages reports whether a tag is one of the sync's own.
func (d *destination) manages(tag string) bool {
	for _, prefix := range d.options.ManagedTags {
		if strings.HasPrefix(fold(tag), fold(prefix)) {
			return true
		}
	}
	return false
}

// fold brings a tag's name to the form in which Intercom compares names: without case.
func fold(s string) string { return strings.ToLower(s) }

func trimmed(s string) string { return strings.TrimSpace(s) }

// kindOf is the kind of attribute that a data type becomes ("Create a data
// attribute", data_type).
func kindOf(t syncdef.Type) string {
	switch t {
	case syncdef.Number:
		return "float"
	case syncdef.Integer:
		return "integer"
	case syncdef.Boolean:
		return "boolean"
	case syncdef.Date:
		return "date"
	case syncdef.DateTime:
		return "datetime"
	}
	return "string"
}

// kindOfValue is the same for an object's member, "" for null. A number becomes a
// float, which takes whole ones too.
func kindOfValue(v jsontext.Value) string {
	switch v.Kind() {
	case '0':
		return "float"
	case 't', 'f':
		return "boolean"
	case '"':
		return "string"
	}
	return ""
}
