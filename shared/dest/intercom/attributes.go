package intercom

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/rawjson"
)

// How old the list of attributes may be, and how old at least before an attribute
// that is not on it makes it be read again.
const (
	listFor   = 10 * time.Minute
	listAgain = time.Minute
)

// An attribute is a custom attribute of contacts ("List all data attributes").
type attribute struct {
	kind     string   // string, integer, float, boolean, date
	options  []string // nil is any
	writable bool     // over the API
}

// known is what the workspace says of an attribute.
type known uint8

const (
	there  known = iota
	absent       // it has none of that name
	untold       // the app may not read attributes: Intercom judges each contact
)

// An attributeBook is the workspace's custom attributes, read once for all syncs of
// an account.
type attributeBook struct {
	client *client
	turns  turns // to make an attribute, by its name, and to read the list: ""

	mu     sync.Mutex           // never held while a call is made
	list   map[string]attribute // nil before it was read
	hidden bool                 // the app may not read them
	read   time.Time
	unmade map[string]*unmade // what could not be made lately, by name
}

// unmade is that an attribute cannot be made, and why. Whose failure it is goes by who
// names the attribute.
type unmade struct {
	code string // Intercom's
	may  bool   // the app may make attributes, but not this one
	at   time.Time
}

func (u *unmade) Error() string { return u.code }

// call is the failure of a definition that names the attribute.
func (u *unmade) call() *dest.CallError {
	message := "Intercom does not create a custom attribute of a field's name (" + u.code + "): companies or an archived attribute have it already, it is one of Intercom's own or has blanks, or the workspace has as many as it may; name another destination, or restore or create it in Intercom (Settings, Data)"
	if !u.may {
		message = "the app may not create custom attributes (" + u.code + "): give it the permission to write attributes, or create them in Intercom"
	}
	return &dest.CallError{Op: opAttribute, Class: dest.Configuration, Scope: dest.ScopeVersion, Code: u.code, Message: message}
}

// member is the outcome of a row whose object names the attribute. One that the app may
// not make can be made later.
func (u *unmade) member(name string) *dest.Outcome {
	if !u.may {
		return &dest.Outcome{Status: dest.Retry, Code: u.code, Field: fieldCustom,
			Message: "the object has a member" + called(name) + " that is no custom attribute yet, and the app may not create one: give it the permission to write attributes, or create it in Intercom (Settings, Data, People)"}
	}
	return &dest.Outcome{Status: dest.Rejected, Code: u.code, Field: fieldCustom,
		Message: "the object has a member" + called(name) + " of which Intercom makes no custom attribute: companies or an archived attribute have the name already, it is one of Intercom's own or has blanks, or the workspace has as many as it may; name it otherwise, or map it by itself"}
}

func newAttributeBook(c *client) *attributeBook {
	return &attributeBook{client: c, unmade: map[string]*unmade{}}
}

// stale lets the list be read again before it is next relied on.
func (b *attributeBook) stale() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.read = b.read.Add(-listAgain)
}

// has reports whether the list that was read last has an attribute.
func (b *attributeBook) has(name string) bool {
	_, known := b.known(name)
	return known == there
}

// known is what the list that was read last says of an attribute.
func (b *attributeBook) known(name string) (attribute, known) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.hidden {
		return attribute{}, untold
	}
	if a, ok := b.list[name]; ok {
		return a, there
	}
	return attribute{}, absent
}

// recent reports whether the list is younger than it may be.
func (b *attributeBook) recent(age time.Duration) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.list != nil && b.client.now().Sub(b.read) < age
}

// find looks an attribute up, and makes it as kind where that is not "" and it is
// not there.
func (b *attributeBook) find(ctx context.Context, name, kind string) (attribute, known, error) {
	for _, age := range []time.Duration{listFor, listAgain} {
		if err := b.load(ctx, age); err != nil {
			return attribute{}, absent, err
		}
		if a, known := b.known(name); known != absent {
			return a, known, nil
		}
	}
	switch {
	case kind == "":
		return attribute{}, absent, nil
	case !newName.MatchString(name):
		return attribute{}, absent, &unmade{code: "bad_attribute_name", may: true}
	}
	leave, err := b.turns.take(ctx, name)
	if err != nil {
		return attribute{}, absent, err
	}
	defer leave()
	if a, known := b.known(name); known != absent { // made meanwhile
		return a, known, nil
	}
	if u := b.refused(name); u != nil {
		return attribute{}, absent, u
	}
	a, err := b.create(ctx, name, kind)
	if u, ok := errors.AsType[*unmade](err); ok {
		if err := b.load(ctx, 0); err != nil { // nothing is known of it
			return attribute{}, absent, err
		}
		if a, known := b.known(name); known == there { // another worker made it in between
			return a, there, nil
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		b.unmade[name] = u
		return attribute{}, absent, u
	}
	if err != nil {
		return attribute{}, absent, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list[name] = a
	return a, there, nil
}

// refused is why an attribute could not be made just now, nil when nobody tried. Each row of a
// model may have the member.
func (b *attributeBook) refused(name string) *unmade {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.DeleteFunc(b.unmade, func(_ string, u *unmade) bool { return b.client.now().Sub(u.at) >= listAgain })
	return b.unmade[name]
}

// load reads all attributes of contacts where the list is older than it may be; 0 reads it
// anyway. An app without the permission to do so can still write contacts.
func (b *attributeBook) load(ctx context.Context, age time.Duration) error {
	return b.turns.once(ctx, "", func() bool { return b.recent(age) }, func() error { return b.reload(ctx) })
}

func (b *attributeBook) reload(ctx context.Context) error {
	all, hidden, err := b.client.attributes(ctx, "")
	if err != nil {
		return err
	}
	list := map[string]attribute{}
	for i := range all {
		if name, is := all[i].custom(); is && !all[i].Archived {
			list[name] = all[i].attribute()
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list, b.hidden, b.read = list, hidden, b.client.now()
	return nil
}

// attributes reads the attributes of contacts; hidden says that the app may not. more
// are further parameters, from & on.
func (c *client) attributes(ctx context.Context, more string) (all []attributeJSON, hidden bool, err error) {
	const op = "read the workspace's attributes"
	got, err := c.do(ctx, op, http.MethodGet, "/data_attributes?model=contact"+more, nil)
	if call := asCallError(err); call != nil && call.Class == dest.Configuration && mayNot[call.Code] {
		return nil, true, nil
	}
	if err != nil {
		return nil, false, unsent(err)
	}
	if got.err != nil && got.err.status == http.StatusTooManyRequests {
		return nil, false, slowedCall(op, got.err)
	}
	all, ok := readAttributes(got)
	if !ok {
		return nil, false, unsent(c.unreadable(op, got))
	}
	return all, false, nil
}

// mayNot are the codes of a missing permission.
var mayNot = map[string]bool{"forbidden": true, "action_forbidden": true, "api_plan_restricted": true}

// attributeJSON is one attribute of an answer.
type attributeJSON struct {
	Name     string            `json:"name"`
	FullName string            `json:"full_name"`
	Label    string            `json:"label"`
	Kind     string            `json:"data_type"`
	Options  []json.RawMessage `json:"options"`
	Writable *bool             `json:"api_writable"`
	Custom   *bool             `json:"custom"`
	Archived bool              `json:"archived"`
}

func readAttributes(a *answer) ([]attributeJSON, bool) {
	var list struct {
		Type string           `json:"type"`
		Data *[]attributeJSON `json:"data"`
	}
	if a.err != nil || json.Unmarshal(a.body, &list) != nil || list.Type != "list" || list.Data == nil {
		return nil, false
	}
	return *list.Data, true
}

// custom is the name of a custom attribute; one of Intercom's own is none.
func (j *attributeJSON) custom() (name string, is bool) {
	if name, full := strings.CutPrefix(j.FullName, customPrefix); full {
		return name, true
	}
	return j.Name, j.Custom != nil && *j.Custom
}

// attribute reads one; its options come as texts or as {"value": text}.
func (j *attributeJSON) attribute() attribute {
	a := attribute{kind: j.Kind, writable: j.Writable == nil || *j.Writable}
	for _, raw := range j.Options {
		var option struct {
			Value string `json:"value"`
		}
		if json.Unmarshal(raw, &option.Value) != nil && json.Unmarshal(raw, &option) != nil {
			return attribute{kind: j.Kind, writable: a.writable} // in another form: Intercom judges
		}
		a.options = append(a.options, option.Value)
	}
	return a
}

const opAttribute = "create a custom attribute"

// create makes an attribute. The error is an *unmade where it cannot be made, or the *refusal
// that asks to wait with this one, or a *dest.CallError.
func (b *attributeBook) create(ctx context.Context, name, kind string) (attribute, error) {
	body := rawjson.AppendQuote([]byte(`{"model":"contact","data_type":"`+kind+`","name":`), name)
	got, err := b.client.do(ctx, opAttribute, http.MethodPost, "/data_attributes", append(body, '}'))
	if call := asCallError(err); call != nil && mayNot[call.Code] {
		return attribute{}, &unmade{code: call.Code, at: b.client.now()}
	}
	if err != nil {
		return attribute{}, unsent(err) // no contact was changed
	}
	if got.err != nil && got.err.status == http.StatusTooManyRequests {
		return attribute{}, got.err
	}
	if got.err != nil {
		return attribute{}, &unmade{code: got.err.code, may: true, at: b.client.now()}
	}
	var made attributeJSON
	if json.Unmarshal(got.body, &made) != nil || made.Name == "" {
		return attribute{}, unsent(b.client.unreadable(opAttribute, got))
	}
	return made.attribute(), nil
}
