package infra_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// A template is a CloudFormation template with its short tags written out: !Ref X
// is read as {"Ref": X} and !GetAtt A.B as {"Fn::GetAtt": "A.B"}.
type template struct {
	globals    object
	parameters object
	conditions object
	resources  map[string]resource
	outputs    object
}

// An object is a YAML mapping: strings, ints, floats, bools, lists and objects.
type object map[string]any

// A resource is one entry of Resources.
type resource struct {
	name, kind string
	raw        object // with Metadata, DeletionPolicy, Condition
	properties object // a function's: with Globals beneath
}

// readTemplate reads template.yaml at the root of the module.
func readTemplate(t *testing.T) template {
	t.Helper()
	return parseTemplate(t, templateText(t))
}

// templateText is template.yaml as it stands.
func templateText(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

// parseTemplate reads a template, with the globals under each function.
func parseTemplate(t *testing.T, source string) template {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(source), &doc); err != nil {
		t.Fatalf("parse template.yaml: %v", err)
	}
	root, ok := plain(t, doc.Content[0]).(object)
	if !ok {
		t.Fatal("template.yaml is no mapping")
	}
	tpl := template{
		globals:    root.object("Globals").object("Function"),
		parameters: root.object("Parameters"),
		conditions: root.object("Conditions"),
		outputs:    root.object("Outputs"),
		resources:  map[string]resource{},
	}
	for name, v := range root.object("Resources") {
		raw := v.(object)
		r := resource{name: name, kind: raw.text("Type"), raw: raw, properties: raw.object("Properties")}
		if r.kind == "AWS::Serverless::Function" {
			r.properties = overlay(tpl.globals, r.properties)
		}
		tpl.resources[name] = r
	}
	return tpl
}

// overlay is a function's properties over the globals.
func overlay(globals, properties object) object {
	all := object{}
	for k, v := range globals {
		all[k] = v
	}
	for k, v := range properties {
		all[k] = v
	}
	return all
}

// of lists the resources of a type, by name.
func (tpl template) of(kind string) []resource {
	var found []resource
	for _, r := range tpl.resources {
		if r.kind == kind {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b resource) int { return strings.Compare(a.name, b.name) })
	return found
}

// plain turns a node into strings, numbers, lists and objects.
func plain(t *testing.T, n *yaml.Node) any {
	t.Helper()
	var value any
	switch n.Kind {
	case yaml.MappingNode:
		m := object{}
		for i := 0; i < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if _, twice := m[key]; twice {
				t.Errorf("template.yaml:%d: %s is there twice", n.Content[i].Line, key)
			}
			m[key] = plain(t, n.Content[i+1])
		}
		value = m
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, c := range n.Content {
			list[i] = plain(t, c)
		}
		value = list
	case yaml.AliasNode:
		t.Fatalf("template.yaml:%d: CloudFormation reads no YAML aliases", n.Line)
	default:
		if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
			value = n.Value
			break
		}
		if err := n.Decode(&value); err != nil {
			t.Fatalf("template.yaml:%d: %v", n.Line, err)
		}
	}
	if tag, ok := strings.CutPrefix(n.Tag, "!"); ok && !strings.HasPrefix(tag, "!") {
		if tag != "Ref" && tag != "Condition" {
			tag = "Fn::" + tag
		}
		return object{tag: value}
	}
	return value
}

// object is the mapping at key, nil when there is none.
func (o object) object(key string) object {
	v, _ := o[key].(object)
	return v
}

// text is the string at key, "" when there is none.
func (o object) text(key string) string {
	v, _ := o[key].(string)
	return v
}

// number is the integer at key, 0 when there is none.
func (o object) number(key string) int {
	v, _ := o[key].(int)
	return v
}

// list is the list at key; a single value is a list of one.
func (o object) list(key string) []any {
	switch v := o[key].(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

// target names the resource or parameter that a Ref or GetAtt points to, "" for
// every other value.
func target(v any) string {
	o, _ := v.(object)
	if ref := o.text("Ref"); ref != "" {
		return ref
	}
	name, _, _ := strings.Cut(o.text("Fn::GetAtt"), ".")
	return name
}

// words lists the strings of a list of scalars.
func words(values []any) []string {
	var all []string
	for _, v := range values {
		all = append(all, fmt.Sprint(v))
	}
	slices.Sort(all)
	return all
}
