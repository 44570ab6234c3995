package amplitude

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// An event is one of a request's.
type event struct {
	fields map[string]json.RawMessage
	form   bool // of /identify or /groupidentify, which take plain names too
}

// The event types that change properties.
const (
	typeIdentify = "$identify"
	typeGroup    = "$groupidentify"
)

// text is a member's text, "" when it is absent or none.
func (e *event) text(name string) string {
	var s string
	if json.Unmarshal(e.fields[name], &s) != nil {
		return ""
	}
	return s
}

// has reports whether a member is there and not null.
func (e *event) has(name string) bool {
	v := e.fields[name]
	return len(v) > 0 && string(v) != "null"
}

// id is an id's text without white space around it, also of a number.
func (e *event) id(name string) string {
	if v := e.fields[name]; len(v) > 0 && v[0] != '"' {
		return string(v)
	}
	return strings.TrimSpace(e.text(name))
}

// device is the device id, or the one that Amplitude makes of the user id.
func (e *event) device() string {
	if d := e.id("device_id"); e.has("device_id") {
		return d
	}
	return "of user " + e.id("user_id")
}

// ids are the names under which the event is counted.
func (e *event) ids() []string {
	var out []string
	if e.has("user_id") {
		out = append(out, "user:"+e.id("user_id"))
	}
	if e.has("device_id") {
		out = append(out, "device:"+e.id("device_id"))
	}
	return out
}

// placeholders are ids that Amplitude takes for nobody's.
var placeholders = []string{"anonymous", "nil", "none", "null", "n/a", "na", "undefined", "unknown", "",
	"00000000-0000-0000-0000-000000000000", "{}", "lmy47d", "0", "-1"}

// check gives the member of the answer that names the event, and the field; "" when
// it is taken.
func (e *event) check(least int) (member, field string) {
	for _, name := range []string{"user_id", "device_id"} {
		if e.has(name) && utf8.RuneCountInString(e.id(name)) < least {
			return "events_with_invalid_id_lengths", name
		}
	}
	const missing, invalid = "events_with_missing_fields", "events_with_invalid_fields"
	switch {
	case !e.has("event_type"):
		return missing, "event_type"
	case !e.has("user_id") && !e.has("device_id"):
		return missing, "user_id"
	case e.text("event_type") == "":
		return invalid, "event_type"
	}
	for _, name := range []string{"user_id", "device_id"} {
		v := e.fields[name]
		if e.has(name) && (strings.ContainsAny(string(v[:1]), "[{tf") || slices.Contains(placeholders, strings.ToLower(e.id(name)))) {
			return invalid, name
		}
	}
	if e.has("time") {
		if _, err := strconv.ParseInt(string(e.fields["time"]), 10, 64); err != nil {
			return invalid, "time"
		}
	}
	if e.has("insert_id") && e.text("insert_id") == "" {
		return invalid, "insert_id"
	}
	return e.checkProperties()
}

// checkProperties judges what the event does to properties.
func (e *event) checkProperties() (member, field string) {
	name, needed, known := "user_properties", e.text("event_type") == typeIdentify, operations
	groups, sound := e.groups()
	if !sound || len(groups) > maxGroups || len(groups) == 0 && e.text("event_type") == typeGroup {
		return "events_with_invalid_fields", "groups"
	}
	if e.text("event_type") == typeGroup {
		name, needed, known = "group_properties", true, groupOperations
	}
	if !e.has(name) {
		if needed {
			return "events_with_missing_fields", name
		}
		return "", ""
	}
	if _, ok := readChanges(e.fields[name], known, needed && !e.form); !ok {
		return "events_with_invalid_fields", name
	}
	return "", ""
}

// maxGroups is how many groups an event may name, maxTypes how many types of them a
// project has ("Group Identify API").
const (
	maxGroups = 10
	maxTypes  = 5
)

// A group is one that an event names.
type group struct{ kind, value string }

// groups reads {"type": "value"}, where a type may have a list of values.
func (e *event) groups() (out []group, ok bool) {
	if !e.has("groups") {
		return nil, true
	}
	var groups map[string]json.RawMessage
	if json.Unmarshal(e.fields["groups"], &groups) != nil || groups == nil {
		return nil, false
	}
	for _, kind := range sorted(groups) {
		for _, v := range elements(groups[kind]) {
			var value *string
			if json.Unmarshal(v, &value) != nil || value == nil || kind == "" {
				return nil, false
			}
			out = append(out, group{kind, *value})
		}
	}
	return out, true
}

// roomFor notes an event's types of groups, and reports whether the project has room for
// them.
func roomFor(types map[string]bool, e *event) bool {
	groups, _ := e.groups()
	for _, g := range groups {
		types[g.kind] = true
	}
	return len(types) <= maxTypes
}

// A change is one operation on one property.
type change struct {
	op, name string
	value    json.RawMessage
}

// operations are those of the pages of Identify and Batch, in the order in which they
// are carried out.
var operations = []string{"$set", "$setOnce", "$add", "$append", "$prepend", "$preInsert", "$postInsert", "$remove", "$unset"}

// groupOperations are those that groups take ("Group Identify API").
var groupOperations = []string{"$set", "$setOnce", "$add", "$append", "$prepend", "$unset"}

// readChanges reads user_properties or group_properties: operations out of those that are
// known, or plain names, which are set, where they may be; never both.
func readChanges(raw json.RawMessage, known []string, strict bool) ([]change, bool) {
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil || object == nil || depth(raw) > maxDepth {
		return nil, false
	}
	var out []change
	plain := 0
	for _, name := range sorted(object) {
		if !strings.HasPrefix(name, "$") {
			plain++
			c := change{"$set", name, object[name]}
			if !c.sound() {
				return nil, false
			}
			out = append(out, c)
		}
	}
	if plain > 0 {
		return out, plain == len(object) && !strict
	}
	some := 0
	for _, op := range known {
		of, there := object[op]
		if !there {
			continue
		}
		some++
		var properties map[string]json.RawMessage
		if json.Unmarshal(of, &properties) != nil || properties == nil {
			return nil, false
		}
		for _, name := range sorted(properties) {
			c := change{op, name, properties[name]}
			if !c.sound() {
				return nil, false
			}
			out = append(out, c)
		}
	}
	return out, some == len(object)
}

// sound reports whether an operation's value is of a type that it takes.
func (c change) sound() bool {
	var number json.Number
	switch {
	case c.name == "":
		return false
	case c.op == "$unset":
		return true
	case string(c.value) == "null":
		return false
	case c.op == "$add":
		return c.value[0] != '"' && json.Unmarshal(c.value, &number) == nil
	}
	return true
}

func sorted(m map[string]json.RawMessage) []string {
	out := make([]string, 0, len(m))
	for name := range m {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

const maxDepth = 40

// depth is how deep a value is nested.
func depth(raw json.RawMessage) int {
	d := json.NewDecoder(bytes.NewReader(raw))
	level, deepest := 0, 0
	for {
		tok, err := d.Token()
		if err != nil {
			return deepest
		}
		switch tok {
		case json.Delim('{'), json.Delim('['):
			level++
			deepest = max(deepest, level)
		case json.Delim('}'), json.Delim(']'):
			level--
		}
	}
}
