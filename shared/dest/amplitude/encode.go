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

// adds reports whether an operation adds to what is there: twice is too much.
func adds(op string) bool { return op == opAdd || op == opAppend }

// appendProperties appends the object user_properties: operations only, each once, but
// for those that add. It reports whether there is any.
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
			if f.Name == fieldDevice || !ok || as != m.op || adds(as) {
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

// appendEvents appends a record's events and their ends to ends; none when it changes
// nothing. What sets and removes is one event. Each value that is added is one of its own,
// and of no device, so that it is the same event whatever else is sent with it later.
func (d *destination) appendEvents(b []byte, ends []int, r *dest.Record, now time.Time) ([]byte, []int) {
	device, _ := rawjson.Text(deviceOf(r))
	properties, some := d.appendProperties(nil, r)
	if some || device != "" && len(r.Along) == 0 {
		b = d.appendEvent(b, r, r.Sequence, device, properties, now)
		ends = append(ends, len(b))
	}
	for i := range r.Fields {
		f := &r.Fields[i]
		if op, ok := effect(d.operation(f.Name), f.Value); ok && adds(op) && !r.Delete {
			properties = append(rawjson.AppendQuote(append(properties[:0], '{'), memberOf(op)), ":{"...)
			properties = append(append(append(rawjson.AppendQuote(properties, f.Name), ':'), f.Value...), "}}"...)
			b = d.appendEvent(b, r, r.Base, "", properties, now)
			ends = append(ends, len(b))
		}
	}
	return b, ends
}

// memberOf is the name of an operation in user_properties.
func memberOf(op string) string {
	for _, m := range members {
		if m.op == op {
			return m.member
		}
	}
	return ""
}

// appendEvent appends one event of a record.
func (d *destination) appendEvent(b []byte, r *dest.Record, sequence int64, device string, properties []byte, now time.Time) []byte {
	b = append(b, `{"event_type":"$identify","user_id":`...)
	b = rawjson.AppendQuote(b, userID(r))
	if device != "" {
		b = rawjson.AppendQuote(append(b, `,"device_id":`...), device)
	}
	b = append(b, `,"time":`...)
	b = strconv.AppendInt(b, now.UnixMilli(), 10)
	b = append(append(b, `,"user_properties":`...), properties...)
	b = append(b, `,"insert_id":"`...)
	b = append(b, d.insertID(r, sequence, device, properties)...)
	return append(b, `"}`...)
}

// insertID names an event: by the sync, a sequence, the user, and what is sent. It is the
// same for every try of a row, and another for another value. The sequence is the row's
// own, but for a value that is added, whose is that of the user's last row that surely
// arrived: while it is not known whether a value was added, each row that has it sends the
// same event. A retry under a new mapping sends something else, and is another one.
func (d *destination) insertID(r *dest.Record, sequence int64, device string, properties []byte) string {
	h := sha256.New()
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(sequence))
	h.Write(n[:])
	for _, part := range []string{d.sync, userID(r), device} {
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		h.Write(n[:])
		h.Write([]byte(part))
	}
	h.Write(properties)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// deviceOf is a record's device, whether or not it has changed; nil where it has none.
func deviceOf(r *dest.Record) jsontext.Value {
	if v := valueOf(r.Fields, fieldDevice); v != nil {
		return v
	}
	return valueOf(r.Along, fieldDevice)
}

// valueOf is a field's value, nil where there is none.
func valueOf(fields []dest.Field, name string) jsontext.Value {
	for i := range fields {
		if fields[i].Name == name {
			return fields[i].Value
		}
	}
	return nil
}

// size is how many events a record has at most, and how many bytes: a quoted text has six
// bytes a byte at most, and an operation's braces stand beside each field.
func (d *destination) size(r *dest.Record) (events, bytes int) {
	head := 256 + 6*len(userID(r))
	events, bytes = 1, head
	for i := range r.Along {
		bytes += len(r.Along[i].Value) + 20
	}
	for i := range r.Fields {
		f := &r.Fields[i]
		bytes += 6*len(f.Name) + len(f.Value) + 20
		if adds(d.operation(f.Name)) {
			events, bytes = events+1, bytes+head
		}
	}
	return events, bytes
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
