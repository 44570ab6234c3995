// Package envelope packs rows into the text of one queue message and back:
// varint-framed raw spans, compressed with S2, in base64. Its input is rows as
// the warehouse sent them; it neither maps them nor sends anything.
package envelope

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/s2"

	"github.com/penstock-data/penstock/shared/run"
)

// Sizes in bytes of a message's text, and what is cut to keep to them. SQS takes
// 1 MiB a message and bills per 64 KiB; bigger chunks only enlarge what is retried.
const (
	Target  = 256 << 10 // a chunk of several rows stays below
	Max     = 1 << 20   // a chunk never passes
	MaxRow  = 256 << 10 // one row's raw JSON; so that its error also fits a DynamoDB item
	maxRows = 2500
	maxRaw  = 1 << 20
	maxOpen = 64 << 20 // a message unpacked
)

// A Chunk is the content of one message: rows of one lane of one batch.
type Chunk struct {
	Run      string
	Version  string
	Batch    string // run.BatchID
	Mode     run.Mode
	Index    int   // the chunk's position in the batch
	Lane     int   //
	Sequence int64 // when the batch was accepted, in the sync's own order (I3)
	Late     bool  // a retried batch: its rows hold the mark at their cursors
	// At is when the batch was accepted, to the millisecond; zero where that is not told.
	At   time.Time
	Rows []Row
}

// A Row is one row's number in its batch and its raw JSON object.
type Row struct {
	Number int
	Object jsontext.Value
	// Least is the least cursor of the rows that this one superseded at intake, a
	// JSON scalar; nil when there are none, or none below its own.
	Least jsontext.Value
	// Delete says that the row's record is to be removed.
	Delete bool
	// Key is set for a deleting row without a match value: the key that its record id
	// stands for in the ledger.
	Key string
	// Replay is set for a row that failed before and is sent again.
	Replay *Replay
}

// A Replay is what a row sent again keeps of its first time.
type Replay struct {
	Ref      string // run.ErrorRef of its one error
	Sequence int64  // of its batch then (I3)
	Attempts int    // made so far; its error must still say so
	Halted   int    // of them, those that failed with their version: they use no attempt up
}

// ErrFormat is returned, wrapped, by Unpack for text that Pack did not make.
var ErrFormat = errors.New("not a Penstock message")

// format is the first byte of what base64 holds; then come 4 little-endian bytes of CRC-32C
// of the frames, because S2 does not say when it is damaged, and the frames in S2. It takes half
// of zstd's time and makes messages of rows of one query twice as long: the time is a tenth
// of a row's, and a message of 100 rows, 10 KB, costs the same either way.
const (
	format = 5
	begin  = 1 + 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// haltedBits is where a replay's Halted stands in the number of its Attempts: most
// rows have none. A row is tried some 4,000 times in the 30 days that its error is kept.
const haltedBits = 16

// A Packer packs chunks. It reuses its buffers and serves one goroutine; the zero value is
// ready.
type Packer struct{ raw, zip []byte }

// Pack returns the chunk's text in memory of its own.
func (p *Packer) Pack(c Chunk) []byte {
	b := p.raw[:0]
	for _, s := range []string{c.Run, c.Version, c.Batch, string(c.Mode)} {
		b = appendText(b, s)
	}
	b = binary.AppendUvarint(b, uint64(c.Index))
	b = binary.AppendUvarint(b, uint64(c.Lane))
	b = binary.AppendVarint(b, c.Sequence)
	flags := byte(0)
	if c.Late {
		flags |= isLate
	}
	if !c.At.IsZero() {
		flags |= hasAt
	}
	if b = append(b, flags); !c.At.IsZero() {
		b = binary.AppendVarint(b, c.At.UnixMilli())
	}
	b = binary.AppendUvarint(b, uint64(len(c.Rows)))
	for i := range c.Rows {
		b = appendRow(b, &c.Rows[i])
	}
	p.raw = b
	p.zip = slices.Grow(p.zip[:0], begin+s2.MaxEncodedLen(len(b)))
	zip := binary.LittleEndian.AppendUint32(append(p.zip, format), crc32.Checksum(b, castagnoli))
	zip = zip[:begin+len(s2.Encode(zip[begin:cap(zip)], b))]
	return base64.StdEncoding.AppendEncode(make([]byte, 0, base64.StdEncoding.EncodedLen(len(zip))), zip)
}

// The bits before a chunk's rows.
const (
	isLate = 1
	hasAt  = 2 // the time follows
)

// What follows a row's object, as bits of the number before it.
const (
	hasLeast  = 1
	hasReplay = 2
	isDelete  = 4
	hasKey    = 8
	flagBits  = 4
)

func appendRow(b []byte, r *Row) []byte {
	flags := uint64(0)
	if r.Least != nil {
		flags |= hasLeast
	}
	if r.Replay != nil {
		flags |= hasReplay
	}
	if r.Delete {
		flags |= isDelete
	}
	if r.Key != "" {
		flags |= hasKey
	}
	b = binary.AppendUvarint(b, uint64(r.Number)<<flagBits|flags)
	b = appendText(b, r.Object)
	if r.Key != "" {
		b = appendText(b, r.Key)
	}
	if r.Least != nil {
		b = appendText(b, r.Least)
	}
	if r.Replay != nil {
		b = appendText(b, r.Replay.Ref)
		b = binary.AppendVarint(b, r.Replay.Sequence)
		b = binary.AppendUvarint(b, uint64(min(r.Replay.Attempts, 1<<haltedBits-1))|uint64(r.Replay.Halted)<<haltedBits)
	}
	return b
}

func appendText[T ~string | ~[]byte](b []byte, s T) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// Cut says how many of the next rows, given by their sizes in bytes, go into one
// chunk: at least one.
func Cut(sizes func(i int) int, n int) int {
	raw := 0
	for i := range n {
		raw += sizes(i)
		if i > 0 && (raw > maxRaw || i >= maxRows) {
			return i
		}
	}
	return n
}

// An Unpacker unpacks chunks. It serves one goroutine; the zero value is ready.
type Unpacker struct{ zip []byte }

// Unpack reads a message's text; the rows live in memory of their own.
func (u *Unpacker) Unpack(text []byte) (Chunk, error) {
	zip, err := base64.StdEncoding.AppendDecode(u.zip[:0], text)
	if err != nil {
		return Chunk{}, fmt.Errorf("%w: base64: %w", ErrFormat, err)
	}
	u.zip = zip
	if len(zip) < begin || zip[0] != format {
		return Chunk{}, fmt.Errorf("%w: it has format %d, this program knows format %d", ErrFormat, first(zip), format)
	}
	if n, err := s2.DecodedLen(zip[begin:]); err == nil && n > maxOpen {
		return Chunk{}, fmt.Errorf("%w: it says that it unpacks to %d bytes, and none has more than %d", ErrFormat, n, maxOpen)
	}
	raw, err := s2.Decode(nil, zip[begin:])
	if err != nil || crc32.Checksum(raw, castagnoli) != binary.LittleEndian.Uint32(zip[1:]) {
		return Chunk{}, fmt.Errorf("%w: it is damaged", ErrFormat)
	}
	return decode(raw)
}

func decode(raw []byte) (Chunk, error) {
	r := reader{b: raw}
	c := Chunk{Run: r.text(), Version: r.text(), Batch: r.text(), Mode: run.Mode(r.text())}
	c.Index, c.Lane, c.Sequence = r.count(), r.count(), r.signed()
	flags := r.below(2 * hasAt)
	if c.Late = flags&isLate != 0; flags&hasAt != 0 {
		c.At = time.UnixMilli(r.signed()).UTC()
	}
	n := r.count()
	if n > len(r.b) { // a row takes two bytes at least
		return Chunk{}, fmt.Errorf("%w: %d rows in %d bytes", ErrFormat, n, len(r.b))
	}
	c.Rows = make([]Row, 0, n)
	for range n {
		c.Rows = append(c.Rows, r.row())
	}
	if r.bad || len(r.b) > 0 {
		return Chunk{}, fmt.Errorf("%w: framing is broken", ErrFormat)
	}
	return c, nil
}

// reader takes frames off b; bad stays set after the first that does not fit.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) row() Row {
	head := r.below(1 << 31 << flagBits)
	row := Row{Number: head >> flagBits}
	head &= 1<<flagBits - 1
	row.Object, row.Delete = jsontext.Value(r.span()), head&isDelete != 0
	if head&hasKey != 0 {
		row.Key = r.text()
	}
	if head&hasLeast != 0 {
		row.Least = jsontext.Value(r.span())
	}
	if head&hasReplay != 0 {
		row.Replay = &Replay{Ref: r.text(), Sequence: r.signed()}
		tries := r.count()
		row.Replay.Attempts, row.Replay.Halted = tries&(1<<haltedBits-1), tries>>haltedBits
	}
	return row
}

func (r *reader) count() int { return r.below(1<<31 + 1) }

func (r *reader) below(most uint64) int {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v >= most {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return int(v)
}

func (r *reader) signed() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) span() []byte {
	n := r.count()
	if n > len(r.b) {
		r.bad, r.b = true, nil
		return nil
	}
	s := r.b[:n:n]
	r.b = r.b[n:]
	return s
}

func (r *reader) text() string { return string(r.span()) }

func first(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	return int(b[0])
}
