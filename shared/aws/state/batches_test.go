package state

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/run"
)

func TestChunkText(t *testing.T) {
	for text, c := range map[string]run.Chunk{
		"0 0 0 0 0 0 0 0 0 0": {Done: true},
		"1773500966535897932 1 2 3 4 5 6 7 8 9007199254740993": {Done: true, At: time.Unix(0, 1773500966535897932).UTC(), Counts: run.Counts{
			Received: 1, Queued: 2, Rejected: 3, Blocked: 4, Superseded: 5, Delivered: 6, Unchanged: 7, Failed: 8, Calls: 9007199254740993,
		}},
	} {
		if got := encodeChunk(c); got != text {
			t.Errorf("encodeChunk: got %q, want %q", got, text)
		}
		var got run.Chunk
		if err := decodeChunk(text, &got); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(c, got); diff != "" {
			t.Errorf("decodeChunk %q (-want +got):\n%s", text, diff)
		}
	}
	for _, text := range []string{"", "0 0", "0 0 0 0 0 0 0 0 0 x", "0 0 0 0 0 0 0 0 0 0 0"} {
		var c run.Chunk
		if err := decodeChunk(text, &c); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

func TestReadBatch(t *testing.T) {
	b := run.Batch{Run: "health.1", ID: "b1", Sync: "health", Place: 9007199254740993, Groups: map[string]int{"#a": 1}}
	i, err := batchItem(b)
	if err != nil {
		t.Fatal(err)
	}
	i[attr.Expires], i["sent"] = attr.N(1), attr.Bool(true)
	i["c"] = attr.Map(attr.Item{"0": attr.S("0 0 0 0 0 0 1 0 0 0")})
	i["d0"], i["a0"], i["d12"], i["a12"] = attr.N(3), attr.N(1), attr.N(2), attr.N(0)
	got, err := readBatch(i)
	if err != nil {
		t.Fatal(err)
	}
	b.Sent = true
	b.Chunks = map[int]run.Chunk{0: {Done: true, Counts: run.Counts{Delivered: 1}, Deferrals: 3, Attempts: 1}, 12: {Deferrals: 2}}
	if diff := cmp.Diff(b, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
