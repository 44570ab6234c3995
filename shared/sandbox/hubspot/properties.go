package hubspot

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
)

// show is a property as HubSpot answers it.
func (p *Property) show() map[string]any {
	options := []map[string]any{}
	for i, v := range p.Options {
		options = append(options, map[string]any{"label": v, "value": v, "displayOrder": i, "hidden": slices.Contains(p.Hidden, v)})
	}
	if p.Type == "bool" {
		options = []map[string]any{{"label": "Yes", "value": "true", "displayOrder": 0, "hidden": false}, {"label": "No", "value": "false", "displayOrder": 1, "hidden": false}}
	}
	label := p.Label
	if label == "" {
		label = p.Name
	}
	return map[string]any{
		"name": p.Name, "label": label, "type": p.Type, "fieldType": p.FieldType, "description": "", "groupName": "information", "options": options,
		"hasUniqueValue": p.Unique, "externalOptions": p.External, "calculated": false, "hidden": false, "hubspotDefined": p.ReadOnly, "formField": !p.ReadOnly, "archived": false,
		"modificationMetadata": map[string]any{"readOnlyValue": p.ReadOnly, "readOnlyDefinition": p.ReadOnly, "archivable": !p.ReadOnly},
	}
}

func (s *Server) properties(c *call) *failure {
	o, failed := s.object(c.r.PathValue("object"), false)
	if failed != nil {
		return failed
	}
	results := []map[string]any{}
	for i := range o.Properties {
		results = append(results, o.Properties[i].show())
	}
	c.reply(http.StatusOK, map[string]any{"results": results})
	return nil
}

func (s *Server) propertyByName(c *call) *failure {
	o, failed := s.object(c.r.PathValue("object"), false)
	if failed != nil {
		return failed
	}
	p, there := o.property(c.r.PathValue("name"))
	if !there {
		return &failure{status: http.StatusNotFound, Category: "OBJECT_NOT_FOUND", SubCategory: "Properties.PROPERTY_NOT_FOUND", Message: "Property " + c.r.PathValue("name") + " does not exist"}
	}
	c.reply(http.StatusOK, p.show())
	return nil
}

// A made is a property to be made.
type made struct {
	Name      string `json:"name"`
	Label     string `json:"label"`
	Type      string `json:"type"`
	FieldType string `json:"fieldType"`
	Group     string `json:"groupName"`
	Unique    bool   `json:"hasUniqueValue"`
	Options   []struct {
		Value string `json:"value"`
	} `json:"options"`
}

var propertyName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,99}$`)

// maxUnique is how many properties of unique values an object may have.
const maxUnique = 10

func (s *Server) makeOne(o *object, m made) (*Property, *failure) {
	unique := 0
	for _, p := range o.Properties {
		if p.Unique {
			unique++
		}
	}
	switch _, there := o.property(m.Name); {
	case m.Label == "" || m.Group == "" || m.FieldType == "":
		return nil, invalid("Invalid input JSON: Some required fields were not set: [label, groupName, fieldType]")
	case !propertyName.MatchString(m.Name):
		return nil, invalid("Property name %q is invalid", m.Name)
	case !slices.Contains([]string{"string", "number", "bool", "date", "datetime", "enumeration"}, m.Type):
		return nil, invalid("%q is no type", m.Type)
	case there:
		return nil, &failure{status: http.StatusConflict, Category: "OBJECT_ALREADY_EXISTS", Message: "A property named '" + m.Name + "' already exists."}
	case m.Unique && unique >= maxUnique:
		return nil, invalid("at most %d properties may have unique values", maxUnique)
	}
	p := Property{Name: m.Name, Label: m.Label, Type: m.Type, FieldType: m.FieldType, Unique: m.Unique}
	for _, option := range m.Options {
		p.Options = append(p.Options, option.Value)
	}
	if failed := s.newProperty(o, p); failed != nil {
		return nil, failed
	}
	return &o.Properties[len(o.Properties)-1], nil
}

func (s *Server) makeProperty(c *call) *failure {
	o, failed := s.object(c.r.PathValue("object"), false)
	if failed != nil {
		return failed
	}
	var m made
	if json.Unmarshal(c.body, &m) != nil {
		return invalid("Invalid input JSON")
	}
	p, failed := s.makeOne(o, m)
	if failed == nil {
		c.reply(http.StatusCreated, p.show())
	}
	return failed
}

// propertyBatch is POST …/batch/{create,read}.
func (s *Server) propertyBatch(c *call) *failure {
	o, failed := s.object(c.r.PathValue("object"), false)
	if failed != nil {
		return failed
	}
	var in struct {
		Inputs []made `json:"inputs"`
	}
	if json.Unmarshal(c.body, &in) != nil || in.Inputs == nil {
		return invalid("Invalid input JSON: Some required fields were not set: [inputs]")
	}
	results, status := []map[string]any{}, http.StatusOK
	for _, m := range in.Inputs {
		p, _ := o.property(m.Name)
		switch c.r.PathValue("verb") {
		case "create":
			status = http.StatusCreated
			if p, failed = s.makeOne(o, m); failed != nil {
				return failed
			}
		case "read":
		default:
			return &failure{status: http.StatusNotFound, Message: "resource not found"}
		}
		if p != nil {
			results = append(results, p.show())
		}
	}
	c.reply(status, map[string]any{"status": "COMPLETE", "results": results, "startedAt": at(s.core.Now()), "completedAt": at(s.core.Now())})
	return nil
}

// show is an object's schema.
func (o *object) show() map[string]any {
	required, properties := []string{}, []map[string]any{}
	for i := range o.Properties {
		p := &o.Properties[i]
		properties = append(properties, p.show())
		if p.Required {
			required = append(required, p.Name)
		}
	}
	return map[string]any{
		"id": o.ID, "objectTypeId": o.ID, "name": o.Name, "fullyQualifiedName": o.Name, "labels": map[string]string{"singular": o.Singular, "plural": o.Name},
		"requiredProperties": required, "searchableProperties": []string{}, "secondaryDisplayProperties": []string{}, "properties": properties, "associations": []string{}, "archived": false,
	}
}

func (s *Server) schemas(c *call) *failure {
	results := []map[string]any{}
	for _, o := range s.objects {
		if o.ID[0] != '0' { // custom objects only, as HubSpot does
			results = append(results, o.show())
		}
	}
	c.reply(http.StatusOK, map[string]any{"results": results})
	return nil
}

func (s *Server) schema(c *call) *failure {
	o, failed := s.object(c.r.PathValue("object"), false)
	if failed == nil {
		c.reply(http.StatusOK, o.show())
	}
	return failed
}
