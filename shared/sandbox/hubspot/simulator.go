package hubspot

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/sandbox"
)

// token guards nothing.
const token = "pat-penstock-sandbox"

// Sandbox is this simulator as a value.
var Sandbox = sandbox.Simulator{
	Type: "hubspot", Title: "HubSpot",
	Secret: map[string]string{"token": token},
	Open:   start,
	Hints:  []string{"curl URL/_sandbox/records?object=contacts"},
}

func start(s sandbox.Settings) (sandbox.Simulated, error) {
	opts := Options{Token: token, Portal: newPortal(), Journal: s.Journal, Accept: s.Accept, Notice: s.Notice, Now: s.Now, Window: s.Window(window)}
	if s.Names != "" {
		var err error
		if opts.Schema, opts.Scopes, err = ReadSchema(s.Names, DefaultSchema()); err != nil {
			return nil, err
		}
	}
	return New(opts)
}

// newPortal is an account's id that hardly any other has: a new one each time that no
// journal is kept, since its records are new.
func newPortal() string {
	var b [4]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return strconv.Itoa(10_000_000 + int(binary.LittleEndian.Uint32(b[:])%90_000_000))
}

// schemaFile is what a file of names holds, as YAML or JSON:
//
//	scopes: [crm.objects.contacts.read]  # of the token; all where absent
//	objects:
//	  - name: contacts             # one that is there gets the properties beside its own
//	    properties:
//	      - {name: tier, type: enumeration, options: [gold, silver], hidden: [iron]}
//	  - name: p4711_car
//	    id: 2-4711                 # one of its own where absent
//	    properties:
//	      - {name: plate, type: string, unique: true, required: true}
type schemaFile struct {
	Scopes  []string `yaml:"scopes"`
	Objects []struct {
		Name       string `yaml:"name"`
		Singular   string `yaml:"singular"`
		ID         string `yaml:"id"`
		Properties []struct {
			Name      string   `yaml:"name"`
			Label     string   `yaml:"label"`
			Type      string   `yaml:"type"`
			FieldType string   `yaml:"field_type"`
			Options   []string `yaml:"options"`
			Hidden    []string `yaml:"hidden"` // further options, that people are not shown
			Unique    bool     `yaml:"unique"`
			ReadOnly  bool     `yaml:"read_only"`
			Required  bool     `yaml:"required"`
		} `yaml:"properties"`
	} `yaml:"objects"`
}

// schemaShape is that, for people.
const schemaShape = "objects: [{name: contacts, properties: [{name: tier, type: string}]}]"

// ReadSchema reads a file of names onto a schema: objects and properties that are there
// keep their place, and a property of the same name is replaced. scopes are the token's,
// nil for all.
func ReadSchema(path string, onto []Object) (out []Object, scopes []string, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read the properties of the simulated HubSpot: %w", err)
	}
	var file schemaFile
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("read the properties of the simulated HubSpot: %s: %w", path, sandbox.NamesFault(err, schemaShape))
	}
	for n, o := range file.Objects {
		at := slices.IndexFunc(onto, func(have Object) bool { return have.Name == o.Name })
		if at < 0 {
			one := Object{Name: o.Name, Singular: o.Singular, ID: o.ID}
			if one.ID == "" {
				one.ID = fmt.Sprintf("2-%d", 5000+n)
			}
			if one.Singular == "" {
				one.Singular = one.Name
			}
			at, onto = len(onto), append(onto, one)
		}
		for _, p := range o.Properties {
			one := Property{Name: p.Name, Label: p.Label, Type: p.Type, FieldType: p.FieldType, Options: append(p.Options, p.Hidden...), Hidden: p.Hidden, Unique: p.Unique, ReadOnly: p.ReadOnly, Required: p.Required}
			if one.Name == "" {
				return nil, nil, fmt.Errorf("%s: %s: a property needs a name", path, o.Name)
			}
			if one.Type == "" {
				one.Type, one.FieldType = "string", "text"
			}
			have := slices.IndexFunc(onto[at].Properties, func(q Property) bool { return q.Name == one.Name })
			if have < 0 {
				onto[at].Properties = append(onto[at].Properties, one)
			} else {
				onto[at].Properties[have] = one
			}
		}
	}
	return onto, file.Scopes, nil
}
