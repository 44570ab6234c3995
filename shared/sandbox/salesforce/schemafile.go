package salesforce

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/sandbox"
)

// schemaFile is what Options.SchemaFile holds, as YAML or JSON:
//
//	objects:
//	  - name: Contact              # one that is there gets the fields beside its own
//	    fields:
//	      - {name: Region__c, type: picklist, values: [EMEA, AMER], inactive: [APAC], restricted: true}
//	      - {name: Score__c, type: double, access: read}   # or none: not shown
//	  - name: Subscription__c
//	    prefix: a0S                # of its records' ids; one of its own where absent
//	    access: read               # what the user may do: all where absent, read, none
//	    fields:
//	      - {name: Key__c, type: string, length: 80, external_id: true, unique: true}
//	      - {name: Seats__c, type: int, precision: 8}
type schemaFile struct {
	Objects []struct {
		Name   string      `yaml:"name"`
		Prefix string      `yaml:"prefix"`
		Access Access      `yaml:"access"`
		Fields []fileField `yaml:"fields"`
	} `yaml:"objects"`
}

type fileField struct {
	Name          string   `yaml:"name"`
	Label         string   `yaml:"label"`
	Type          Type     `yaml:"type"`
	Length        int      `yaml:"length"`    // texts; 0 is 255
	Precision     int      `yaml:"precision"` // numbers; 0 is 18
	Scale         int      `yaml:"scale"`
	Required      bool     `yaml:"required"`
	Unique        bool     `yaml:"unique"`
	ExternalID    bool     `yaml:"external_id"`
	CaseSensitive bool     `yaml:"case_sensitive"` // of a unique text
	Values        []string `yaml:"values"`
	Restricted    bool     `yaml:"restricted"`
	Inactive      []string `yaml:"inactive"`
	Access        Access   `yaml:"access"`
}

// fileShape is what a schema file holds, for people.
const fileShape = "objects: [{name: Contact, fields: [{name: Region__c, type: string}]}]"

// fileTypes are the types that a schema file may name.
var fileTypes = []Type{Text, TextArea, URL, Phone, Email, Picklist, MultiPicklist, Double, Currency, Percent, Int, Boolean, Date, DateTime, Reference}

// ReadSchema reads a schema file onto a schema: objects and fields that are there
// already keep their place, and a field of the same name is replaced.
func ReadSchema(path string, onto Schema) (Schema, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	var file schemaFile
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the schema %s: %w", path, sandbox.NamesFault(err, fileShape))
	}
	out := slices.Clone(onto)
	var faults []error
	for _, o := range file.Objects {
		at := slices.IndexFunc(out, func(have Object) bool { return strings.EqualFold(have.Name, o.Name) })
		if at < 0 {
			at = len(out)
			out = append(out, Object{Name: o.Name, Prefix: customPrefix(at), Fields: []Field{text("Name", 80)}})
		}
		if !o.Access.valid() {
			faults = append(faults, fmt.Errorf("read the schema %s: %s: access %q: read, none, or absent", path, o.Name, o.Access))
		}
		if o.Access != AccessAll {
			out[at].Access = o.Access
		}
		if o.Prefix != "" {
			out[at].Prefix = o.Prefix
		}
		fields := slices.Clone(out[at].Fields)
		for _, f := range o.Fields {
			field, err := f.field()
			if err != nil {
				faults = append(faults, fmt.Errorf("read the schema %s: %s.%s: %w", path, o.Name, f.Name, err))
				continue
			}
			same := slices.IndexFunc(fields, func(have Field) bool { return strings.EqualFold(have.Name, f.Name) })
			if same < 0 {
				fields = append(fields, field)
			} else {
				fields[same] = field
			}
		}
		out[at].Fields = fields
	}
	return out, errors.Join(faults...)
}

// field fills in what a line leaves out.
func (f fileField) field() (Field, error) {
	if f.Type == "" {
		f.Type = Text
	}
	if f.Name == "" {
		return Field{}, errors.New("a field needs a name")
	}
	if !slices.Contains(fileTypes, f.Type) {
		return Field{}, fmt.Errorf("type %q: one of %v", f.Type, fileTypes)
	}
	if f.Type == MultiPicklist {
		f.Length = maxMulti
	}
	if f.Type.isText() && f.Length == 0 {
		f.Length = 255
	}
	if f.Type.isNumber() && f.Precision == 0 {
		f.Precision = 18
	}
	if !f.Access.valid() {
		return Field{}, fmt.Errorf("access %q: read, none, or absent", f.Access)
	}
	if f.CaseSensitive && (!f.Unique || !f.Type.isText()) {
		return Field{}, errors.New("case_sensitive: only a unique text can be")
	}
	return Field{
		CaseSensitive: f.CaseSensitive, Name: f.Name, Label: f.Label, Type: f.Type, Length: f.Length, Precision: f.Precision, Scale: f.Scale,
		Required: f.Required, Unique: f.Unique, ExternalID: f.ExternalID, Values: f.Values, Restricted: f.Restricted,
		Inactive: f.Inactive, Access: f.Access, ReadOnly: f.Access == AccessRead,
	}, nil
}
