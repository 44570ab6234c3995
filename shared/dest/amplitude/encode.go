package amplitude

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/rawjson"
)

// members are the names under which user_properties holds each operation, in the
// order in which they are written ("Identify API", user property operations).
var members = []struct{ op, member string }{
	{opSet, "$set"}, {opSetOnce, "$setOnce"}, {opAdd, "$add"}, {opAppend, "$append"}, {opUnset, "$unset"},
}

// unset is the value that Amplitude's documentation gives to what is removed.
const unset = `"-"`

// userID is the id that a record is sent under.
func userID(r *dest.Record) string {
	if r.Key != "" {
		return r.Key // the match value without white space around it
	}
	return r.Match
}

// effect is the operation by which a field is sent: null removes what is set, and
// adds nothing. ok is false when nothing is sent.
func effect(op string, v jsontext.Value) (as string, ok bool) {
	if v.Kind() != 'n' {
		return op, true
	}
	switch op {
	case opAdd, opAppend:
		return "", false
	}
	return opUnset, true
}

// appendProperties appends the object user_properties: operations only, each once.
// It reports whether there is any.
func (d *destination) appendProperties(b []byte, r *dest.Record) ([]byte, bool) {
	fields := r.Fields
	b = append(b, '{')
	some := false
	for _, m := range members {
		first := true
		for i := range fields {
			f := &fields[i]
			as, ok := effect(d.operation(f.Name), f.Value)
			if r.Delete { // also what was added to, or appended
				as, ok = opUnset, true
			}
			if f.Name == fieldDevice || !ok || as != m.op {
				continue
			}
			switch {
			case !first:
				b = append(b, ',')
			case some:
				b = append(b, ',')
				fallthrough
			default:
				b = append(rawjson.AppendQuote(b, m.member), ':', '{')
			}
			first, some = false, true
			b = append(rawjson.AppendQuote(b, f.Name), ':')
			if m.op == opUnset {
				b = append(b, unset...)
			} else {
				b = append(b, f.Value...)
			}
		}
		if !first {
			b = append(b, '}')
		}
	}
	return append(b, '}'), some
}

// appendEvent appends a record's event; nothing and false when it changes nothing.
func (d *destination) appendEvent(b []byte, r *dest.Record, now time.Time) ([]byte, bool) {
	start := len(b)
	device, _ := rawjson.Text(valueOf(r, fieldDevice))
	b = append(b, `{"event_type":"$identify","user_id":`...)
	b = rawjson.AppendQuote(b, userID(r))
	if device != "" {
		b = rawjson.AppendQuote(append(b, `,"device_id":`...), device)
	}
	b = append(b, `,"time":`...)
	b = strconv.AppendInt(b, now.UnixMilli(), 10)
	b = append(b, `,"user_properties":`...)
	at := len(b)
	b, some := d.appendProperties(b, r)
	if !some && device == "" {
		return b[:start], false
	}
	id := d.insertID(r, device, b[at:])
	b = append(b, `,"insert_id":"`...)
	b = append(b, id...)
	return append(b, `"}`...), true
}

// insertID is the same for every try of a row, and another for another value: the
// sync, the row's sequence and key, and what is sent. A retry under a new mapping
// sends something else, and is another event.
func (d *destination) insertID(r *dest.Record, device string, properties []byte) string {
	h := sha256.New()
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(r.Sequence))
	h.Write(n[:])
	for _, part := range []string{d.sync, userID(r), device} {
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		h.Write(n[:])
		h.Write([]byte(part))
	}
	h.Write(properties)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// valueOf is a field's value, nil when the record has none.
func valueOf(r *dest.Record, name string) jsontext.Value {
	for i := range r.Fields {
		if r.Fields[i].Name == name {
			return r.Fields[i].Value
		}
	}
	return nil
}

// size is how many bytes a record's event has at most: a quoted text has six bytes a
// byte at most, and an operation's braces stand beside each field.
func size(r *dest.Record) int {
	n := 256 + 6*len(userID(r))
	for i := range r.Fields {
		n += 6*len(r.Fields[i].Name) + len(r.Fields[i].Value) + 20
	}
	return n
}

// envelope writes a request around events that are separated by commas.
func (d *destination) envelope(key string, events ...[]byte) []byte {
	n := 128 + 6*len(key)
	for _, e := range events {
		n += len(e) + 1
	}
	b := make([]byte, 0, n)
	b = rawjson.AppendQuote(append(b, `{"api_key":`...), key)
	b = append(b, `,"options":{"min_id_length":`...)
	b = strconv.AppendInt(b, int64(d.minID), 10)
	b = append(b, `},"events":[`...)
	for i, e := range events {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, e...)
	}
	return append(b, `]}`...)
}
