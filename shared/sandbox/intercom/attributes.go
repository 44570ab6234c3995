package intercom

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// An Attribute is a custom attribute of contacts.
type Attribute struct {
	Name     string   `json:"name"`
	Type     string   `json:"data_type"` // string, integer, float, boolean, date
	Options  []string `json:"options,omitempty"`
	ReadOnly bool     `json:"read_only,omitempty"` // not writable over the API
	Model    string   `json:"model,omitempty"`     // contact when absent, or company
}

// DefaultAttributes are those of a workspace that nobody has described.
func DefaultAttributes() []Attribute {
	return []Attribute{{Name: "plan", Type: "string"}, {Name: "health_score", Type: "float"}, {Name: "risk_level", Type: "string"}}
}

// ReadAttributes reads {"data": [{"name", "data_type", "options"}]}.
func ReadAttributes(r io.Reader) ([]Attribute, error) {
	attributes, _, err := readWorkspace(r)
	return attributes, err
}

// attributesShape is what readWorkspace reads, for people.
const attributesShape = `{"data": [{"name": "plan", "data_type": "string"}]}`

// readWorkspace is ReadAttributes with what the app is "denied", as Config.Denied.
func readWorkspace(r io.Reader) (_ []Attribute, denied []string, _ error) {
	var file struct {
		Data   []Attribute `json:"data"`
		Denied []string    `json:"denied"`
	}
	if err := sandbox.DecodeOnly(json.NewDecoder(r), &file); err != nil {
		return nil, nil, fmt.Errorf("read the simulated Intercom's attributes: %w", sandbox.NamesFault(err, attributesShape))
	}
	if len(file.Data)+len(file.Denied) == 0 {
		return nil, nil, errors.New("read the simulated Intercom's attributes: there are none: write " + attributesShape)
	}
	return file.Data, file.Denied, nil
}

// nameForm is what an attribute may be called that is made over the API; one that was made in
// Intercom may have blanks.
var (
	nameForm  = regexp.MustCompile(`^[\p{L}\p{N}\p{Sc}_-]+$`)
	blankForm = regexp.MustCompile(`^[\p{L}\p{N}\p{Sc}_-][\p{L}\p{N}\p{Sc} _-]*$`)
)

var dataTypes = []string{"string", "integer", "float", "boolean", "date"}

func (a Attribute) check() error {
	if !blankForm.MatchString(a.Name) || !slices.Contains(dataTypes, a.Type) {
		return fmt.Errorf("attribute %q: it needs a name of letters and digits, and a data_type of %s", a.Name, strings.Join(dataTypes, ", "))
	}
	return nil
}

// The columns of attributeTable.
const (
	attrName = iota
	attrType
	attrOptions
	attrReadOnly
	attrModel
	attrArchived
)

var attributeTable = records.Spec{Name: "data_attributes", Columns: []records.Column{
	{Name: "name", Indexed: true}, {Name: "data_type"}, {Name: "options"}, {Name: "read_only"}, {Name: "model"}, {Name: "archived"},
}}

// findAttribute is an attribute's row, of contacts or companies; -1 when there is none.
func (s *Server) findAttribute(name string) int {
	if found := s.attributes.Find(nil, attrName, []byte(name)); len(found) > 0 {
		return found[0]
	}
	return -1
}

// isDate reports whether an attribute holds dates, which a search compares by whole days.
func (s *Server) isDate(name string) bool {
	row := s.findAttribute(name)
	return row >= 0 && s.readAttribute(row).Type == "date"
}

func (s *Server) putAttribute(a Attribute) int {
	options := ""
	if len(a.Options) > 0 {
		b, _ := json.Marshal(a.Options) // texts
		options = string(b)
	}
	if a.Model == "" {
		a.Model = "contact"
	}
	changes := []records.Change{{Column: attrName, Text: []byte(a.Name)}, {Column: attrType, Text: []byte(a.Type)}, {Column: attrOptions, Text: []byte(options)}, {Column: attrModel, Text: []byte(a.Model)}}
	if a.ReadOnly {
		changes = append(changes, records.Change{Column: attrReadOnly, Text: []byte("1")})
	}
	return s.store.Writer().Put(s.attributes, records.NewRow, s.core.Now(), changes)
}

// readAttribute reads a row.
func (s *Server) readAttribute(row int) Attribute {
	t := s.attributes
	a := Attribute{Name: string(t.Get(row, attrName)), Type: string(t.Get(row, attrType)), ReadOnly: !t.Null(row, attrReadOnly), Model: string(t.Get(row, attrModel))}
	if !t.Null(row, attrOptions) {
		_ = json.Unmarshal(t.Get(row, attrOptions), &a.Options) // written by putAttribute
	}
	return a
}

func (s *Server) attributeJSON(row int) map[string]any {
	a := s.readAttribute(row)
	out := map[string]any{"type": "data_attribute", "id": row + 1, "model": a.Model, "name": a.Name, "full_name": "custom_attributes." + a.Name, "label": a.Name,
		"description": "", "data_type": a.Type, "api_writable": !a.ReadOnly, "messenger_writable": false, "ui_writable": true, "custom": true,
		"archived": !s.attributes.Null(row, attrArchived), "created_at": s.attributes.Created(row).Unix(), "updated_at": s.attributes.Modified(row).Unix(), "admin_id": "814860"}
	if len(a.Options) > 0 {
		out["options"] = a.Options
	}
	return out
}

// standardAttributes are the contact's own, as data_attributes lists them.
var standardAttributes = []string{"name", "email", "phone", "external_id", "role", "signed_up_at", "last_seen_at", "owner_id", "created_at"}

func (s *Server) listAttributes(r *http.Request) (any, error) {
	q := r.URL.Query()
	model := q.Get("model")
	if model == "conversation" {
		return nil, fail(http.StatusUnprocessableEntity, "unprocessable_entity", "The model conversation is not supported")
	}
	data := []any{}
	if model != "company" {
		for _, name := range standardAttributes {
			data = append(data, map[string]any{"type": "data_attribute", "model": "contact", "name": name, "full_name": name, "label": name, "data_type": "string", "api_writable": name != "created_at", "custom": false, "archived": false})
		}
	}
	for _, row := range s.attributes.Select(nil) {
		if model != "" && model != string(s.attributes.Get(row, attrModel)) || !s.attributes.Null(row, attrArchived) && q.Get("include_archived") != "true" {
			continue
		}
		data = append(data, s.attributeJSON(row))
	}
	return map[string]any{"type": "list", "data": data}, nil
}

// creatable are the data types of a new attribute, and what they are answered as.
var creatable = map[string]string{
	"string": "string", "integer": "integer", "float": "float", "boolean": "boolean", "date": "date", "datetime": "date", "options": "string",
}

func (s *Server) createAttribute(r *http.Request) (any, error) {
	in, err := object(r)
	if err != nil {
		return nil, err
	}
	kind := text(in["data_type"])
	a := Attribute{Name: text(in["name"]), Model: text(in["model"]), Type: creatable[kind]}
	raw, is := in["options"]
	if is && a.Type != "" && a.Type != "string" {
		return nil, invalid("Options are for a list type data attribute only")
	}
	if is || kind == "options" {
		var options []struct {
			Value string `json:"value"`
		}
		if json.Unmarshal(raw, &options) != nil || len(options) < 2 {
			return nil, invalid("You must have at least two options on a list type data attribute")
		}
		for _, o := range options {
			a.Options = append(a.Options, o.Value)
		}
	}
	switch {
	case a.Model != "contact" && a.Model != "company":
		return nil, invalid("Model isn't an option")
	case a.Type == "":
		return nil, invalid("Data Type isn't an option")
	case !nameForm.MatchString(a.Name):
		return nil, invalid("Your name for this attribute must only contain alphanumeric characters, currency symbols, and hyphens")
	case slices.Contains(standardAttributes, strings.ToLower(a.Name)):
		return nil, invalid("'%s' is one of our standard attributes for your people data. To save this as new people data, use a different name.", a.Name)
	}
	if row := s.findAttribute(a.Name); row >= 0 {
		where := map[string]string{"contact": "people", "company": "company"}[string(s.attributes.Get(row, attrModel))]
		return nil, invalid("You already have '%s' in your %s data. To save this as new people data, use a different name.", a.Name, where)
	}
	return s.attributeJSON(s.putAttribute(a)), nil
}

func (s *Server) updateAttribute(r *http.Request) (any, error) {
	in, err := object(r)
	if err != nil {
		return nil, err
	}
	id, err := strconv.Atoi(r.PathValue("attribute"))
	if err != nil || id < 1 || id > s.attributes.Rows() {
		return nil, fail(http.StatusNotFound, "field_not_found", "We couldn't find that data attribute to update")
	}
	archived := []byte(nil)
	if string(in["archived"]) == "true" {
		archived = []byte("1")
	}
	if _, is := in["archived"]; is {
		s.store.Writer().Put(s.attributes, id-1, s.core.Now(), []records.Change{{Column: attrArchived, Text: archived}})
	}
	return s.attributeJSON(id - 1), nil
}

// maxValue is how long a custom attribute's text may be.
const maxValue = 255

// custom checks a contact's custom attributes, and adds them to those that it has.
func (s *Server) custom(raw json.RawMessage, has map[string]json.RawMessage) error {
	var in map[string]json.RawMessage
	if json.Unmarshal(raw, &in) != nil || in == nil {
		return invalid("custom_attributes must be an object")
	}
	for name, v := range in {
		row := s.findAttribute(name)
		free := row < 0 && nameForm.MatchString(name) && !slices.Contains(standardAttributes, strings.ToLower(name))
		if row >= 0 && (string(s.attributes.Get(row, attrModel)) != "contact" || !s.attributes.Null(row, attrArchived)) {
			row = -1
		}
		if free && s.cfg.AcceptAttributes && string(v) != "null" {
			row = s.accept(name, v)
		}
		if row < 0 {
			return invalid("Custom attribute '%s' does not exist", name)
		}
		stored, err := s.readAttribute(row).take(v)
		if err != nil {
			return err
		}
		if stored == nil {
			delete(has, name)
			continue
		}
		has[name] = stored
	}
	return nil
}

// accept makes an attribute of a value's type, and says so once.
func (s *Server) accept(name string, v json.RawMessage) int {
	kind := "string"
	switch v[0] {
	case 't', 'f':
		kind = "boolean"
	case '"':
	default:
		kind = "float"
	}
	if !s.said[name] && s.cfg.Say != nil {
		s.cfg.Say("contact attribute " + name + " is made: the workspace takes any (a real one would refuse it)")
	}
	s.said[name] = true
	return s.putAttribute(Attribute{Name: name, Type: kind})
}

// take checks a value and gives it as it is kept; nil clears.
func (a Attribute) take(v json.RawMessage) (json.RawMessage, error) {
	wrong := invalid("Custom attribute '%s' must be of type %s, and is %s", a.Name, a.Type, v)
	var s string
	isText := json.Unmarshal(v, &s) == nil && v[0] == '"'
	number, notNumber := strconv.ParseFloat(string(v), 64)
	switch {
	case a.ReadOnly:
		return nil, invalid("Custom attribute '%s' is not writable", a.Name)
	case string(v) == "null", isText && s == "":
		return nil, nil
	case v[0] == '{' || v[0] == '[':
		return nil, invalid("Custom attribute '%s' must be a string, number or boolean", a.Name)
	case a.Type == "boolean":
		if string(v) != "true" && string(v) != "false" {
			return nil, wrong
		}
	case a.Type == "string":
		if !isText {
			return nil, wrong
		}
		if utf8.RuneCountInString(s) > maxValue {
			return nil, invalid("Custom attribute '%s' is too long (maximum is %d characters): %s", a.Name, maxValue, s)
		}
		if len(a.Options) > 0 && !slices.Contains(a.Options, s) {
			return nil, invalid("Custom attribute '%s' has no option '%s'", a.Name, s)
		}
	case isText || notNumber != nil:
		return nil, wrong
	case a.Type != "float" && number != math.Trunc(number):
		return nil, wrong
	case a.Type == "date" && number > maxSeconds:
		return nil, invalid("Custom attribute '%s' must be in seconds, not milliseconds", a.Name)
	default: // numbers are doubles
		return json.Marshal(number)
	}
	return v, nil
}

// text is a JSON text's content, "" for anything else.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}
