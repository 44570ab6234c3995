package errors

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/run"
)

const (
	// format is the number that every item bears.
	format = 1
	// shards is over how many partitions a sync's errors are spread: at 1,000 write
	// units each, room for 8,000 a second. It is part of the keys: never change it.
	shards = 8
	// maxText is how many bytes are kept of a text that would make the item too large.
	maxText = 4 << 10
)

// shardPK is the sync and the shard of a run's error.
func shardPK(runID string, shard int) string {
	return run.SyncOf(runID) + "#" + strconv.Itoa(shard)
}

// sortKey is run#batch#row, the row in 12 digits, so that it sorts as a number (a
// summary's -1 first).
func sortKey(runID, batch string, row int) string {
	return fmt.Sprintf("%s#%s#%012d", runID, batch, row)
}

// key is the key of an error; those of one batch are spread over all shards.
func key(runID, batch string, row int) attr.Item {
	sk := sortKey(runID, batch, row)
	h := fnv.New32a()
	h.Write([]byte(sk))
	return attr.Key(shardPK(runID, int(h.Sum32()%shards)), sk)
}

// writeItem lays an error out: attempts (N), body, the error as JSON without its
// source, and source, packed by envelope.PackSource. Where the item would be too
// large, long texts are cut, then the source is left out; a row whose key alone is
// too long for an item keeps its beginning, and is not found open any more.
func writeItem(e run.RowError) (attr.Item, error) {
	item := key(e.Run, e.Batch, e.Row)
	item[attr.F], item["attempts"] = attr.Format(format), attr.N(int64(e.Attempts))
	if source := envelope.PackSource(e.Source, envelope.AsIsInItem); source != nil {
		item["source"] = attr.B(source)
	}
	e.Source = nil // beside the body, where it need not be base64
	smaller := []func(){
		func() { cut(&e.Message) },
		func() { cut(&e.RecordID); cut(&e.Field); cut(&e.Type) },
		func() { delete(item, "source") },
		func() { cut(&e.Key) },
	}
	for n := 0; ; n++ {
		text, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		item["body"] = attr.S(string(text))
		switch {
		case attr.Size(item)+expiry <= attr.MaxItem:
			return item, nil
		case n == len(smaller):
			return nil, attr.Fits(item, "the error of a row")
		}
		smaller[n]()
	}
}

// expiry is the size of the TTL attribute, which is added later.
const expiry = len(attr.Expires) + 6

func cut(s *string) {
	if len(*s) > maxText {
		*s = strings.ToValidUTF8((*s)[:maxText], "")
	}
}

func readItem(item attr.Item) (e run.RowError, err error) {
	name := "the error " + attr.String(item[attr.SK])
	if err := attr.Known(item, format, name); err != nil {
		return e, err
	}
	if err := json.Unmarshal([]byte(attr.String(item["body"])), &e); err != nil {
		return e, errors.New(name + " cannot be read: its body is damaged") // I6: not quoted
	}
	e.Source, err = envelope.UnpackSource(attr.Bytes(item["source"]))
	return e, err
}
