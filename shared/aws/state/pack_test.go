package state

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

var at = time.Date(2026, 3, 14, 15, 9, 26, 535897932, time.UTC)

// aBatch has rows over four lanes, one of a hundred rejected and one superseded.
func aBatch(rows int) run.Batch {
	rng := rand.New(rand.NewPCG(1, 2))
	codes := make([]run.Code, rows)
	for n := range codes {
		codes[n] = run.ChunkCode(rng.IntN(4))
		switch n % 100 {
		case 13:
			codes[n] = run.FaultCode(4, 0)
		case 57:
			codes[n] = run.CodeSuperseded
		}
	}
	return run.Batch{
		Run: "salesforce_customer_health.q0123456789abcdef", ID: "fedcba9876543210", Sync: "salesforce_customer_health", Version: "v0123456789ab",
		BodyHash: "1a2b3c4d:612345", Sequence: 1234, At: at, Cursor: `"2026-03-14T15:09:26.535897Z"`, Least: `"2026-03-13T01:02:03Z"`,
		Chunks: 4, Lanes: []byte{0, 1, 2, 3}, Rows: run.PackCodes(codes),
		Faults:   []row.Fault{{Field: "Health_Score__c", Rule: "no_number", Message: "the value is no number"}},
		Failures: []run.Group{{Stage: "intake", Type: "no_number", Field: "Health_Score__c", Rows: int64(rows / 100)}},
		Counts:   run.Counts{Received: int64(rows), Queued: int64(rows - rows/50), Rejected: int64(rows / 100), Superseded: int64(rows / 100)},
	}
}

// A batch of 2,000 rows is below 1 KB: one unit a write.
func TestABatchCostsOneUnit(t *testing.T) {
	for rows, most := range map[int]int{1000: 1024, 2000: 1024, 4000: 2048, run.MaxRows: 20 << 10} {
		i, err := batchItem(aBatch(rows))
		if err != nil {
			t.Fatal(err)
		}
		i[attr.Expires] = attr.N(at.Unix())
		if n := attr.Size(i); n > most {
			t.Errorf("%d rows: %d bytes, at most %d are wanted", rows, n, most)
		}
		got, err := readBatch(i)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(aBatch(rows), got); d != "" {
			t.Errorf("%d rows (-want +got):\n%.2000s", rows, d)
		}
	}
}

func TestCodes(t *testing.T) {
	same := make([]run.Code, 3000)
	many := make([]run.Code, 3000)
	for n := range many {
		same[n], many[n] = 2, run.Code(n)
	}
	for name, packed := range map[string][]byte{
		"none": nil, "no rows": run.PackCodes(nil), "one row": run.PackCodes([]run.Code{2}), "one lane": run.PackCodes(same),
		"codes over 255": run.PackCodes(many), "no codes": {255, 0, 1}, "of another format": {2, 3, 1, 0}, "four lanes": aBatch(2000).Rows,
	} {
		b := packCodes(packed)
		got, err := unpackCodes(b)
		if err != nil || !bytes.Equal(got, packed) {
			t.Errorf("%s: %d bytes became %d, %v", name, len(packed), len(got), err)
		}
		if len(b) > len(packed)+1 {
			t.Errorf("%s: %d bytes of %d", name, len(b), len(packed))
		}
	}
}

const storedBody = "28b52ffd61013900ad0200a2430d14b0a70120060e421e8ce0526e4acaf4afc58b823556df5b10e3488a97a69eab0bf0ab66cf8219a8c4256ca874e484f4249ed56d020a000ca8c0b3057736663a4b63700938446b597054404bdbe59f720101"

// What was stored must stay readable, whatever the packing library becomes.
func TestStoredBatch(t *testing.T) {
	packed, err := hex.DecodeString("01148210203f7fdf")
	if err != nil {
		t.Fatal(err)
	}
	got, err := unpackCodes(packed)
	if err != nil {
		t.Fatal(err)
	}
	all, err := run.UnpackCodes(got)
	if err != nil || fmt.Sprint(all) != "[2 3 2 2 2 2 3 2 2 2 2 2 2 0 2 2 2 2 2 2]" {
		t.Errorf("%v, %v", all, err)
	}
	if packed, err = hex.DecodeString(storedBody); err != nil {
		t.Fatal(err)
	}
	b, err := unpackBody(packed)
	if err != nil {
		t.Fatal(err)
	}
	want := run.Batch{Version: "v0123456789ab", BodyHash: "1a2b3c4d:612345", Sequence: 7, At: at, Chunks: 1, Counts: run.Counts{Received: 20, Queued: 19, Superseded: 1}}
	if d := cmp.Diff(want, b); d != "" {
		t.Error(d)
	}
}

func TestDamagedBatch(t *testing.T) {
	good, err := batchItem(aBatch(2000))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(attr.Item){
		"no body": func(i attr.Item) { delete(i, "body") }, "a cut body": func(i attr.Item) { i["body"] = attr.B(attr.Bytes(i["body"])[:40]) },
		"cut codes": func(i attr.Item) { i["codes"] = attr.B(attr.Bytes(i["codes"])[:9]) },
	} {
		i := attr.Item{}
		for k, v := range good {
			i[k] = v
		}
		change(i)
		if _, err := readBatch(i); err == nil || errors.Is(err, run.ErrFormat) || !strings.Contains(err.Error(), "BATCH#fedcba9876543210") {
			t.Errorf("%s: %v", name, err)
		}
	}
	good["codes"] = attr.B([]byte{9, 1})
	if _, err := readBatch(good); !errors.Is(err, run.ErrFormat) || !strings.Contains(err.Error(), "format 9") {
		t.Errorf("another format of codes: %v", err)
	}
}

func FuzzUnpack(f *testing.F) {
	b := aBatch(500)
	body, err := packBody(b)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body, packCodes(b.Rows))
	f.Add([]byte("{}"), []byte{plainCodes})
	f.Add([]byte{}, []byte{huffmanCodes, 200, 1})
	f.Fuzz(func(t *testing.T, body, codes []byte) {
		if got, err := unpackCodes(codes); err == nil {
			again, err := unpackCodes(packCodes(got))
			if err != nil || !bytes.Equal(again, got) {
				t.Errorf("%d bytes came back as %d: %v", len(got), len(again), err)
			}
		}
		if b, err := unpackBody(body); err == nil {
			if _, err := packBody(b); err != nil {
				t.Error(err)
			}
		}
	})
}
