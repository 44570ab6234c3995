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

// shards is over how many partitions a target is spread: at 1,000 write units
// each, room for 32,000 entries a second. It is part of the keys: never change it.
const shards = 32

// maxSortKey is DynamoDB's limit of a sort key, in bytes.
const maxSortKey = 1024

// hashed begins the sort key of a key that cannot be one itself.
const hashed = "\u0000sha256#"

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

// writeItem lays an entry out: place (N), print (B, 16 bytes; absent when void),
// hashes (B, 4 little-endian bytes per field hash), and as strings, absent when
// empty, version, id, run, error and intent.
func writeItem(key attr.Item, e ledger.Entry) attr.Item {
	item := attr.Item{attr.PK: key[attr.PK], attr.SK: key[attr.SK], "place": attr.N(e.Place)}
	if !e.Fingerprint.Void() {
		item["print"] = attr.B(e.Fingerprint[:])
	}
	if len(e.Fields) > 0 {
		b := make([]byte, 0, 4*len(e.Fields))
		for _, f := range e.Fields {
			b = binary.LittleEndian.AppendUint32(b, f)
		}
		item["hashes"] = attr.B(b)
	}
	for name, v := range map[string]string{"version": e.Version, "id": e.ID, "run": e.Run, "error": e.Error, "intent": e.Intent} {
		if v != "" {
			item[name] = attr.S(v)
		}
	}
	return item
}

func readItem(key string, item attr.Item) (ledger.Entry, error) {
	e := ledger.Entry{
		Key: key, Place: attr.Int(item["place"]), Version: attr.String(item["version"]), ID: attr.String(item["id"]),
		Run: attr.String(item["run"]), Error: attr.String(item["error"]), Intent: attr.String(item["intent"]),
	}
	print, fields := attr.Bytes(item["print"]), attr.Bytes(item["hashes"])
	if print != nil && len(print) != len(e.Fingerprint) || len(fields)%4 != 0 {
		return e, fmt.Errorf("the entry has a print of %d and hashes of %d bytes: 16 and a multiple of 4 are expected", len(print), len(fields))
	}
	copy(e.Fingerprint[:], print)
	for ; len(fields) > 0; fields = fields[4:] {
		e.Fields = append(e.Fields, binary.LittleEndian.Uint32(fields))
	}
	return e, nil
}
