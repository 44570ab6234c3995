package intercom

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/rawjson"
)

// tagsFor is how old the list of tags may be: a tag that a person renames stands under
// its old name for so long at most.
const tagsFor = time.Minute

// A tagBook is the workspace's tags by name and by id, for all syncs of an account.
type tagBook struct {
	client *client
	turns  turns // to make a tag, by its name without case, and to read the list: ""

	mu    sync.Mutex        // never held while a call is made
	ids   map[string]string // by name without case; nil before the list was read
	names map[string]string // by id
	read  time.Time
}

func newTagBook(c *client) *tagBook { return &tagBook{client: c} }

// A tag is one of the workspace's, or of a contact's.
type tag struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// readTags reads a list of tags; anything else is no answer.
func readTags(a *answer) ([]tag, bool) {
	var list struct {
		Type string `json:"type"`
		Data *[]tag `json:"data"`
	}
	if a.err != nil || json.Unmarshal(a.body, &list) != nil || list.Type != "list" || list.Data == nil {
		return nil, false
	}
	for _, t := range *list.Data {
		if t.ID == "" || t.Name == "" {
			return nil, false
		}
	}
	return *list.Data, true
}

// recent reports whether the list is younger than it may be.
func (b *tagBook) recent(age time.Duration) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ids != nil && b.client.now().Sub(b.read) < age
}

// load reads all tags where the list is older than it may be; 0 reads it anyway.
func (b *tagBook) load(ctx context.Context, age time.Duration) error {
	return b.turns.once(ctx, "", func() bool { return b.recent(age) }, func() error { return b.reload(ctx) })
}

func (b *tagBook) reload(ctx context.Context) error {
	const op = "read the workspace's tags"
	got, err := b.client.do(ctx, op, http.MethodGet, "/tags", nil)
	if err != nil {
		return err
	}
	if got.err != nil && got.err.status == http.StatusTooManyRequests {
		return slowedCall(op, got.err)
	}
	list, ok := readTags(got)
	if !ok {
		return b.client.unreadable(op, got)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ids, b.names, b.read = map[string]string{}, map[string]string{}, b.client.now()
	for _, t := range list {
		b.learn(t)
	}
	return nil
}

// learn notes a tag, with mu held.
func (b *tagBook) learn(t tag) { b.ids[fold(t.Name)], b.names[t.ID] = t.ID, t.Name }

// known is the id of a tag by its name, "" where the book has none.
func (b *tagBook) known(name string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ids[fold(name)]
}

// named is the name of a tag by its id, "" where the book has none.
func (b *tagBook) named(id string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.names[id]
}

// name is a tag's name, "" when the workspace has no such tag.
func (b *tagBook) name(ctx context.Context, id string) (string, error) {
	for _, age := range []time.Duration{tagsFor, 0} { // at last somebody may have made it since
		if err := b.load(ctx, age); err != nil {
			return "", err
		}
		if name := b.named(id); name != "" {
			return name, nil
		}
	}
	return "", nil
}

// id is a tag's id; one that is not there is made, which finds it where somebody has
// made it since ("Create or update a tag"). anew forgets what was known of it.
func (b *tagBook) id(ctx context.Context, name string, anew bool) (string, *refusal, error) {
	if err := b.load(ctx, tagsFor); err != nil {
		return "", nil, err
	}
	if id := b.known(name); id != "" && !anew {
		return id, nil, nil
	}
	leave, err := b.turns.take(ctx, fold(name))
	if err != nil {
		return "", nil, err
	}
	defer leave()
	if id := b.known(name); id != "" && !anew { // made meanwhile
		return id, nil, nil
	}
	const op = "create a tag"
	got, err := b.client.do(ctx, op, http.MethodPost, "/tags", append(rawjson.AppendQuote([]byte(`{"name":`), name), '}'))
	if err != nil {
		return "", nil, err
	}
	if got.err != nil {
		return "", got.err, nil
	}
	var made tag
	if json.Unmarshal(got.body, &made) != nil || made.ID == "" || made.Name == "" {
		return "", nil, b.client.unreadable(op, got)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.learn(made)
	return made.ID, nil, nil
}

// retag makes the contact's managed tags those of the row. It answers nil when they
// are, or else the row's outcome. All of its calls can be made again.
func (d *destination) retag(ctx context.Context, id string, stored *contact, want []string) (*dest.Outcome, error) {
	path := "/contacts/" + url.PathEscape(id) + "/tags"
	has, o, err := d.tagsOf(ctx, path, stored)
	if o != nil || err != nil {
		return o, err
	}
	wanted := map[string]bool{}
	for _, name := range want {
		wanted[fold(name)] = true
		if has[fold(name)] != "" {
			continue
		}
		if o, err := d.tag(ctx, path, name); o != nil || err != nil {
			return o, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(has)) {
		if wanted[name] || !d.manages(name) {
			continue
		}
		got, err := d.client.do(ctx, opTag, http.MethodDelete, path+"/"+url.PathEscape(has[name]), nil)
		switch {
		case err != nil:
			return nil, err
		case got.err != nil && got.err.status == http.StatusNotFound: // somebody has taken it off
		case got.err != nil:
			return d.untagged(got), nil
		}
	}
	return nil, nil
}

// tagsOf are the ids of a contact's tags by name without case, from the answer that
// wrote it where that has all of them.
func (d *destination) tagsOf(ctx context.Context, path string, stored *contact) (map[string]string, *dest.Outcome, error) {
	has := map[string]string{}
	if ids, all := stored.tagIDs(); all {
		for _, id := range ids {
			name, err := d.tags.name(ctx, id)
			if err != nil {
				return nil, nil, err
			}
			has[fold(name)] = id
		}
		return has, nil, nil
	}
	got, err := d.client.do(ctx, opTag, http.MethodGet, path, nil)
	if err != nil {
		return nil, nil, err
	}
	if got.err != nil {
		return nil, d.untagged(got), nil
	}
	list, ok := readTags(got)
	if !ok {
		return nil, nil, d.client.unreadable(opTag, got)
	}
	for _, t := range list {
		has[fold(t.Name)] = t.ID
	}
	return has, nil, nil
}

// tag puts a tag on a contact. Where the tag that was known is gone, it is made anew,
// once.
func (d *destination) tag(ctx context.Context, path, name string) (*dest.Outcome, error) {
	for _, anew := range []bool{false, true} {
		id, refused, err := d.tags.id(ctx, name, anew)
		if err != nil {
			return nil, err
		}
		if refused != nil {
			return d.untagged(&answer{err: refused}), nil
		}
		got, err := d.client.do(ctx, opTag, http.MethodPost, path, append(rawjson.AppendQuote([]byte(`{"id":`), id), '}'))
		switch {
		case err != nil:
			return nil, err
		case got.err == nil:
			var put tag
			if json.Unmarshal(got.body, &put) != nil || put.ID != id {
				return nil, d.client.unreadable(opTag, got)
			}
			return nil, nil
		case got.err.status != http.StatusNotFound || anew:
			return d.untagged(got), nil
		}
	}
	return nil, nil
}

// untagged is the outcome of a contact that was written and whose tags were not.
func (d *destination) untagged(a *answer) *dest.Outcome {
	var o dest.Outcome
	switch e := a.err; {
	case e.status == http.StatusTooManyRequests:
		o = dest.Outcome{Status: dest.Retry, Code: e.code, After: e.after, Message: "Intercom asks to slow down with this contact's tags"}
	case e.status == http.StatusGone && a.link != "":
		o = dest.Outcome{Status: dest.Found, ID: a.link, Code: e.code, Message: "the contact was merged into another one, which is updated instead"}
	case e.status == http.StatusNotFound || e.status == http.StatusGone:
		o = dest.Outcome{Status: dest.Found, Code: e.code, Message: "the contact is gone from Intercom; it is looked for anew"}
	default:
		o = dest.Outcome{Status: dest.Rejected, Code: e.code, Field: fieldTags, Message: "Intercom does not take a tag of the row (" + e.code + "): correct its name in the model"}
	}
	return &o
}
