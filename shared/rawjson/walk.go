package rawjson

import (
	"errors"
	"math"

	"github.com/go-json-experiment/json/jsontext"
)

// ErrWalk is what Walker.Err returns for bytes that are no object or array, are
// cut off, or nest deeper than MaxDepth. It quotes nothing of them.
var ErrWalk = errors.New("not the JSON that was expected")

// A Walker goes through the members of an object or the elements of an array
// without allocating. Names and values are spans of the bytes it was given.
//
//	w := rawjson.Members(b)
//	for w.Next() {
//		switch string(w.Name()) { … w.Value() … }
//	}
//	if err := w.Err(); err != nil { … }
type Walker struct {
	b     []byte
	i     int // where the next member or the end is looked for
	most  int // levels of a value
	close byte
	state walkState
	inner bool // begun by Into: what follows the closing bracket is the outer walk's
	name  span
	value span // its end is 0 until it is measured
}

type span struct{ start, end int }

type walkState uint8

const (
	walkFirst walkState = iota // after the opening bracket
	walkNext                   // after a member
	walkDone
	walkBroken
)

// Members walks the object that b holds, white space around it allowed.
func Members(b []byte) Walker { return walk(b, '{', '}') }

// Elements walks the array that b holds; names are empty.
func Elements(b []byte) Walker { return walk(b, '[', ']') }

// AnyDepth is the same walk over values however deep they nest. Where arrays and
// objects end is then found out when Value asks, or by Into, or on the way on.
func (w Walker) AnyDepth() Walker {
	w.most = math.MaxInt
	return w
}

func walk(b []byte, first, last byte) Walker {
	w := Walker{b: b, close: last, most: MaxDepth}
	if w.i = Space(b, 0); w.i >= len(b) || b[w.i] != first {
		w.state = walkBroken
		return w
	}
	w.i++
	return w
}

// Into walks the value in hand, an array or object, without having looked for its end
// before; Leave goes on behind it. Each level is then read once, not once for every
// level above it.
func (w *Walker) Into() Walker {
	in := Walker{b: w.b, i: w.value.start + 1, most: w.most, inner: true}
	switch {
	case w.state != walkNext:
		in.state = walkBroken
	case w.b[w.value.start] == '{':
		in.close = '}'
	case w.b[w.value.start] == '[':
		in.close = ']'
	default:
		in.state = walkBroken
	}
	return in
}

// Leave ends a walk that Into began.
func (w *Walker) Leave(in *Walker) {
	switch in.state {
	case walkDone:
		w.value.end, w.i = in.i, in.i
	case walkBroken:
		w.fail()
	}
}

// Next goes to the next member; false at the end and at a fault.
func (w *Walker) Next() bool {
	if w.state >= walkDone || w.state == walkNext && !w.measure() {
		return false
	}
	i := Space(w.b, w.i)
	if i < len(w.b) && w.b[i] == w.close {
		w.i, w.state = i+1, walkDone
		if !w.inner && Space(w.b, w.i) != len(w.b) {
			w.state = walkBroken
		}
		return false
	}
	if w.state == walkNext {
		if i >= len(w.b) || w.b[i] != ',' {
			return w.fail()
		}
		i = Space(w.b, i+1)
	}
	if w.close == '}' {
		if i >= len(w.b) || w.b[i] != '"' {
			return w.fail()
		}
		end := StringEnd(w.b, i)
		if end < 0 {
			return w.fail()
		}
		w.name = span{i, end}
		if i = Space(w.b, end); i >= len(w.b) || w.b[i] != ':' {
			return w.fail()
		}
		i = Space(w.b, i+1)
	}
	w.value, w.state = span{start: i}, walkNext
	if w.most == math.MaxInt && i < len(w.b) && (w.b[i] == '{' || w.b[i] == '[') {
		return true
	}
	return w.measure()
}

// measure finds where the value in hand ends.
func (w *Walker) measure() bool {
	if w.value.end > 0 {
		return true
	}
	end, deepest := Extent(w.b, w.value.start)
	if end < 0 || deepest > w.most {
		return w.fail()
	}
	w.value.end, w.i = end, end
	return true
}

func (w *Walker) fail() bool {
	w.state = walkBroken
	return false
}

// Name is the member's name without quotes, in its raw spelling: a name that was
// written with escapes still has them. See Named for comparing.
func (w *Walker) Name() []byte {
	if w.name.end == 0 {
		return nil
	}
	return w.b[w.name.start+1 : w.name.end-1 : w.name.end-1]
}

// Quoted is the member's name as it stands, quotes included.
func (w *Walker) Quoted() []byte { return w.b[w.name.start:w.name.end:w.name.end] }

// Named reports whether the member's name is this text, however it is escaped.
func (w *Walker) Named(name string) bool {
	raw := w.Name()
	if !hasEscape(raw) {
		return string(raw) == name
	}
	text, ok := Text(w.Quoted())
	return ok && text == name
}

// Value is the member's value; nil where it does not end, which ends the walk with it.
func (w *Walker) Value() jsontext.Value {
	if !w.measure() {
		return nil
	}
	return w.b[w.value.start:w.value.end:w.value.end]
}

// Err is ErrWalk when the walk ended at a fault, nil at the end and before it.
func (w *Walker) Err() error {
	if w.state == walkBroken {
		return ErrWalk
	}
	return nil
}

// Get is the value of an object's member by name, nil when there is none or b is
// no object. Of duplicates it is the first.
func Get(b []byte, name string) jsontext.Value {
	for w := Members(b); w.Next(); {
		if w.Named(name) {
			return w.Value()
		}
	}
	return nil
}
