package run

import (
	"bytes"
	"cmp"
)

// A Column is what the plausible cursors of a batch or a run come to, in whatever order
// they are added. Where the run begins at a number or a timestamp, or has a row with one,
// a text is unreadable: it does not say when its row changed.
type Column struct {
	from, told                   CursorType // of where the run begins, and as Tell heard; "" is nothing
	number, stamp, text, numeral Cursor     // the greatest of each; a numeral is a text that spells a number
	texts, numerals              int64      // rows; of the texts only those that spell none
}

// Texts are the rows of a batch whose cursors are texts, all of them.
type Texts struct {
	Rows     int64  `json:"rows"`               // that spell no number
	Numerals int64  `json:"numerals,omitempty"` // that spell one
	Numeral  string `json:"numeral,omitempty"`  // the greatest of those by value, a JSON scalar
}

// NewColumn is the column of a run that begins at a stored cursor; "" is none.
func NewColumn(from string) *Column {
	c, ok := ReadCursor(from)
	if !ok || c.Type == TextCursor {
		return &Column{}
	}
	return &Column{from: c.Type}
}

// Add adds a row's cursor.
func (l *Column) Add(c Cursor) {
	l.raise(c)
	switch {
	case c.Type != TextCursor:
	case c.number():
		l.numerals++
	default:
		l.texts++
	}
}

// Tell notes the cursor of a row that moves no watermark.
func (l *Column) Tell(c Cursor) { l.tell(c.Type) }

func (l *Column) tell(t CursorType) {
	if t == NumberCursor || t == TimestampCursor && l.told == "" {
		l.told = t
	}
}

// addBatch adds what is kept of a batch's cursors.
func (l *Column) addBatch(b *Batch) {
	if c, ok := ReadCursor(b.Cursor); ok {
		l.raise(c)
	}
	l.tell(b.Told)
	if b.Texts == nil {
		return
	}
	if c, ok := ReadCursor(b.Texts.Numeral); ok {
		l.raise(c)
	}
	l.texts += b.Texts.Rows
	l.numerals += b.Texts.Numerals
}

func (l *Column) raise(c Cursor) {
	switch c.Type {
	case NumberCursor:
		l.number = greater(l.number, c, Cursor.Compare)
	case TimestampCursor:
		l.stamp = greater(l.stamp, c, Cursor.Compare)
	case TextCursor:
		l.text = greater(l.text, c, Cursor.Compare)
		if c.number() {
			l.numeral = greater(l.numeral, c, compareNumbers)
		}
	}
}

// holds is the type of the column.
func (l *Column) holds() CursorType {
	switch {
	case l.stamp.Type != "":
		return TimestampCursor
	case l.number.Type != "":
		return NumberCursor
	}
	return cmp.Or(l.from, l.told, TextCursor)
}

// Greatest is the greatest readable cursor, a JSON scalar; "" where there is none.
func (l *Column) Greatest() string {
	switch l.holds() {
	case TimestampCursor:
		return l.stamp.String()
	case NumberCursor:
		return greater(l.number, l.numeral, compareNumbers).String()
	}
	return l.text.String()
}

// Unreadable counts the rows whose cursor is a text that is none beside the others.
func (l *Column) Unreadable() int64 {
	switch l.holds() {
	case TimestampCursor:
		return l.texts + l.numerals
	case NumberCursor:
		return l.texts
	}
	return 0
}

// Told is the type of a column of numbers or timestamps whose greatest cursor does not
// tell it; "" of others.
func (l *Column) Told() CursorType {
	c, _ := ReadCursor(l.Greatest())
	if t := l.holds(); t != TextCursor && t != c.Type {
		return t
	}
	return ""
}

// Texts is what a run with other batches needs of a column of texts; nil of another.
func (l *Column) Texts() *Texts {
	if l.holds() != TextCursor || l.text.Type == "" {
		return nil
	}
	return &Texts{Rows: l.texts, Numerals: l.numerals, Numeral: l.numeral.String()}
}

// greater is the same in whatever order: of equal ones it is that of the greater bytes.
func greater(c, d Cursor, compare func(a, b Cursor) int) Cursor {
	switch {
	case c.Type == "":
		return d
	case d.Type == "":
		return c
	}
	if n := cmp.Or(compare(c, d), bytes.Compare(c.raw, d.raw)); n < 0 {
		return d
	}
	return c
}
