package intercom

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row/decimal"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// readSize is how many contacts one Read reads, a call each: a search finds them later
// than they are written, and only a contact's own address tells that it is gone.
const readSize = 50

// ReadSize implements dest.Reader.
func (a *account) ReadSize() int { return readSize }

// ReadCalls implements dest.Reader: the attributes, and a call a contact.
func (a *account) ReadCalls(_ *syncdef.Definition, records int) int { return 1 + records }

// Readable implements dest.Reader by the workspace's attributes.
func (a *account) Readable(ctx context.Context, d *syncdef.Definition, fields []string, spend dest.Spend) ([]dest.Readable, error) {
	if err := spend(ctx, oneCall[0]); err != nil {
		return nil, err
	}
	out := make([]dest.Readable, len(fields))
	for i, name := range fields {
		attribute, is := custom(name)
		f := d.MappingOf(name)
		switch {
		case name == fieldTags:
			out[i].Why = "Intercom shows the first ten tags of a contact, by their ids"
		case name == fieldCustom:
			out[i].Why = "its members are attributes of their own"
		case is:
			_, known, err := a.attributes.find(ctx, attribute, "")
			if err != nil {
				return nil, err
			}
			if known == absent {
				out[i].Why = "contacts have no such attribute any more"
			}
			out[i].Alters, out[i].Altered = "Intercom may keep 15 digits of a number: write scale", long
		case name == fieldEmail && !slices.Contains(f.Transform, "lower"):
			out[i].Alters = "Intercom keeps addresses in lower case: write transform: [lower]"
		case name == "phone":
			out[i].Alters = "Intercom may write a number in another form"
		case own[name] == syncdef.Boolean:
			out[i].Empty = jsontext.Value("false")
		}
		if f.Type == syncdef.DateTime && out[i].Why == "" {
			out[i].Also = fractions
		}
	}
	return out, nil
}

// long reports whether a number that is shown may be what was kept of one of more digits: of
// a double 15 are sure.
func long(v jsontext.Value) bool {
	d, _, _, ok := decimal.Parse(v, nil)
	return ok && (len(d.Digits) > 15 || d.Exp > 15)
}

// fractions are the moments within a second: Intercom keeps whole ones.
func fractions(v jsontext.Value) (out []jsontext.Value) {
	text, ok := rawjson.Text(v)
	seconds, whole := strings.CutSuffix(text, "Z")
	if !ok || !whole || strings.Contains(text, ".") {
		return nil
	}
	for ms := 1; ms < 1000; ms++ {
		out = append(out, rawjson.AppendQuote(nil, fmt.Sprintf("%s.%03dZ", seconds, ms)))
	}
	return out
}

// Read implements dest.Reader contact by contact. One that is refused leaves the others;
// where all of several are, it is not theirs.
func (a *account) Read(ctx context.Context, d *syncdef.Definition, fields, ids []string, spend dest.Spend) ([]dest.Kept, error) {
	out, refused := make([]dest.Kept, len(ids)), 0
	for i, id := range ids {
		body, err := a.contact(ctx, id, spend, true)
		if call, is := errors.AsType[*dest.CallError](err); is && call.Class == dest.Refused {
			if refused++; refused == len(ids) && refused > 1 {
				return nil, err
			}
			out[i].Refused = true
			continue
		}
		if err != nil {
			return nil, err
		}
		if out[i].Gone = body == nil; body == nil {
			continue
		}
		var c aged
		if json.Unmarshal(body, &c) != nil {
			return nil, a.client.unreadable(opRead, &answer{status: http.StatusOK, body: body})
		}
		out[i].Values = make([]jsontext.Value, len(fields))
		for n, name := range fields {
			out[i].Values[n] = c.kept(name, d.MappingOf(name).Type)
		}
	}
	return out, nil
}

const opRead = "read a contact"

// contact reads one contact ("Get a contact"), or the one that it was merged into; nil for
// one that is not there or is archived.
func (a *account) contact(ctx context.Context, id string, spend dest.Spend, follow bool) ([]byte, error) {
	if err := spend(ctx, oneCall[0]); err != nil {
		return nil, err
	}
	got, err := a.client.do(ctx, opRead, http.MethodGet, "/contacts/"+url.PathEscape(id), nil)
	switch {
	case err != nil:
		return nil, err
	case got.err == nil:
		if c, ok := readContact(got.body); !ok || c.ID != id {
			return nil, a.client.unreadable(opRead, got)
		}
		return got.body, nil
	case got.status == http.StatusGone && got.link != "" && follow:
		return a.contact(ctx, got.link, spend, false)
	case got.status == http.StatusNotFound || got.status == http.StatusGone:
		return nil, nil
	}
	return nil, &dest.CallError{Op: opRead, Class: dest.Refused, Code: got.err.code, Message: "Intercom refuses to show a contact: " + got.err.code}
}

// kept is a field's value as JSON of the mapped type: times, which are Unix seconds, in RFC
// 3339.
func (c aged) kept(name string, kind syncdef.Type) jsontext.Value {
	v := c.value(name)
	if v == nil {
		return jsontext.Value("null")
	}
	if jsontext.Value(v).Kind() == '{' && name == "avatar" {
		if url := rawjson.Get(v, "image_url"); url != nil {
			return url
		}
	}
	if n, whole := rawjson.Int(v); whole && (kind == syncdef.Date || kind == syncdef.DateTime) && jsontext.Value(v).Kind() == '0' {
		return rawjson.AppendQuote(nil, time.Unix(n, 0).UTC().Format(time.RFC3339))
	}
	return jsontext.Value(v)
}

var _ dest.Reader = (*account)(nil)
