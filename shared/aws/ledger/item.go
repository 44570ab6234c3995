package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/ledger"
)

const (
	// format is the number that every item bears.
	format = 1
	// shards is over how many partitions a target is spread: at 1,000 write units
	// each, room for 32,000 entries a second. It is part of the keys: never change it.
	shards = 32
	// maxSortKey is DynamoDB's limit of a sort key, in bytes.
	maxSortKey = 1024
	// hashed begins the sort key of a key that cannot be one itself.
	hashed = "\u0000sha256#"
)

func partition(target, key string) string {
	h := fnv.New32a()
	h.Write([]byte(key))
	return target + "#" + strconv.Itoa(int(h.Sum32()%shards))
}

// sortKey is the key itself, or a hash of one that is empty, over 1,024 bytes, no
// UTF-8, or that looks like a hash.
func sortKey(key string) string {
	if key != "" && len(key) <= maxSortKey && utf8.ValidString(key) && !strings.HasPrefix(key, hashed) {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return hashed + hex.EncodeToString(sum[:])
}

// writeItem lays an entry out as revision: the number r of it; what is held as print
// (B, 16 bytes; absent when void), hashes (B, 4 little-endian bytes per field hash),
// version, id, held (N, the sequence) and base (N), record (N, what stands for the record id); what was last as run, seq (N), error,
// intent and unknown (BOOL). What is empty is absent.
func writeItem(target string, e *ledger.Entry, revision int64) attr.Item {
	item := attr.Key(partition(target, e.Key), sortKey(e.Key))
	item[attr.F], item["r"] = attr.Format(format), attr.N(revision)
	if !e.Held.Fingerprint.Void() {
		item["print"] = attr.B(e.Held.Fingerprint[:])
	}
	if len(e.Held.Fields) > 0 {
		b := make([]byte, 0, 4*len(e.Held.Fields))
		for _, f := range e.Held.Fields {
			b = binary.LittleEndian.AppendUint32(b, f)
		}
		item["hashes"] = attr.B(b)
	}
	text := func(name, v string) {
		if v != "" {
			item[name] = attr.S(v)
		}
	}
	number := func(name string, v int64) {
		if v != 0 {
			item[name] = attr.N(v)
		}
	}
	text("version", e.Held.Version)
	text("id", e.Held.ID)
	number("held", e.Held.Sequence)
	number("base", e.Held.Base)
	number("record", int64(e.Held.Record))
	text("run", e.Last.Run)
	number("seq", e.Last.Sequence)
	text("error", e.Last.Error)
	text("intent", e.Last.Intent)
	if e.Last.Unknown {
		item["unknown"] = attr.Bool(true)
	}
	return item
}

// readItem reads what writeItem wrote. Its errors hold no key, which is a row's value
// (I6).
func readItem(key string, item attr.Item) (ledger.Entry, error) {
	if err := attr.Known(item, format, "the ledger's entry"); err != nil {
		return ledger.Entry{}, err
	}
	e := ledger.Entry{
		Key: key, Revision: attr.Int(item["r"]),
		Held: ledger.Held{Version: attr.String(item["version"]), ID: attr.String(item["id"]), Sequence: attr.Int(item["held"]), Base: attr.Int(item["base"]), Record: uint64(attr.Int(item["record"]))},
		Last: ledger.Last{
			Run: attr.String(item["run"]), Sequence: attr.Int(item["seq"]), Error: attr.String(item["error"]),
			Intent: attr.String(item["intent"]), Unknown: attr.True(item["unknown"]),
		},
	}
	print, fields := attr.Bytes(item["print"]), attr.Bytes(item["hashes"])
	if print != nil && len(print) != len(e.Held.Fingerprint) || len(fields)%4 != 0 {
		return e, fmt.Errorf("the entry has a print of %d and hashes of %d bytes: 16 and a multiple of 4 are expected", len(print), len(fields))
	}
	copy(e.Held.Fingerprint[:], print)
	for ; len(fields) > 0; fields = fields[4:] {
		e.Held.Fields = append(e.Held.Fields, binary.LittleEndian.Uint32(fields))
	}
	return e, nil
}
