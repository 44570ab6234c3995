package run

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/penstock-data/penstock/shared/row"
)

func TestCodes(t *testing.T) {
	for _, most := range []Code{0, 1, 5, 66, 300, 70_000} {
		codes := make([]Code, 4096)
		for i := range codes {
			codes[i] = Code(i*7919) % (most + 1)
		}
		packed := PackCodes(codes)
		got, err := UnpackCodes(packed)
		if err != nil || !slices.Equal(got, codes) {
			t.Fatalf("codes up to %d: %v", most, err)
		}
		if most == 66 && len(packed) > len(codes) {
			t.Errorf("%d bytes for %d rows in 64 lanes with a fault: more than a byte a row", len(packed), len(codes))
		}
	}
}

func TestCodesGolden(t *testing.T) {
	got := PackCodes([]Code{CodeSuperseded, CodeBlocked, ChunkCode(0), ChunkCode(1), FaultCode(2, 0)})
	if want := []byte{1, 3, 5, 0x88, 0x46}; !bytes.Equal(got, want) {
		t.Errorf("% x, want % x: a stored format may not change without a new number", got, want)
	}
}

func TestPlaced(t *testing.T) {
	b := &Batch{Chunks: 2, Faults: []row.Fault{{Rule: "one"}, {Rule: "last"}}}
	for code, want := range map[Code]string{
		CodeSuperseded: "superseded -1 ", CodeBlocked: "blocked -1 last", ChunkCode(0): "queued 0 ", ChunkCode(1): "queued 1 ",
		FaultCode(2, 0): "rejected -1 one", FaultCode(2, 1): "rejected -1 last", FaultCode(2, 2): "none",
	} {
		got := "none"
		if status, chunk, fault, ok := b.Placed(code); ok {
			got = fmt.Sprintf("%s %d ", status, chunk)
			if fault != nil {
				got += fault.Rule
			}
		}
		if got != want {
			t.Errorf("code %d: %q, want %q", code, got, want)
		}
	}
}

func FuzzUnpackCodes(f *testing.F) {
	f.Add(PackCodes([]Code{0, 1, 2, 3, 9}))
	f.Add([]byte{1, 0, 200, 1})
	f.Add([]byte{2, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		codes, err := UnpackCodes(b)
		if err == nil && len(codes) > MaxRows {
			t.Errorf("%d codes", len(codes))
		}
	})
}

func TestGathering(t *testing.T) {
	var batches []Batch
	for n := range 3 {
		g := Gathering{}
		for i := range 2000 {
			for range n + 1 {
				g.Add(fmt.Sprintf("channel %d", i))
			}
		}
		batches = append(batches, Batch{Groups: g.Pack()})
	}
	if size := len(batches[0].Groups); size > 16<<10 {
		t.Errorf("2,000 groups take %d bytes", size)
	}
	total, err := Gather(batches)
	if err != nil || total.Of("channel 7") != 6 || total.Of("another") != 0 {
		t.Errorf("%d of channel 7, %v", total.Of("channel 7"), err)
	}
	if _, err := Gather([]Batch{{Groups: []byte{9, 1, 1}}}); err == nil {
		t.Error("an unknown format was read")
	}
}

// Thousands of channels in one batch stay within its item.
func TestGatheringSize(t *testing.T) {
	g := Gathering{}
	for i := range 4096 {
		g.Add(fmt.Sprintf("%090d", i))
	}
	if size := len(g.Pack()); size > 32<<10 {
		t.Errorf("4,096 groups of 90 bytes take %d bytes", size)
	}
}

func TestAddGroups(t *testing.T) {
	var all []Group
	for i := range 80 {
		all = AddGroups(all, []Group{{Stage: "deliver", Type: fmt.Sprintf("T%02d", i), Rows: int64(i + 1)}})
	}
	sum := int64(0)
	for _, g := range all {
		sum += g.Rows
	}
	if len(all) != MaxGroups+1 || sum != 80*81/2 || all[MaxGroups].Type != "other" {
		t.Errorf("%d groups of %d rows, last %+v", len(all), sum, all[len(all)-1])
	}
}
