package envelope

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestSource(t *testing.T) {
	noise := make([]byte, MaxSource+1000)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(noise)
	for _, c := range []struct {
		name   string
		source []byte
		kept   bool
	}{
		{"none", nil, false}, {"a row", []byte(`{"n":9007199254740993,"s":"é\u0000"}`), true},
		{"small", bytes.Repeat([]byte("s"), AsIsInItem), true}, {"over small", bytes.Repeat([]byte("s"), AsIsInItem+1), true},
		{"as large as a row may be", bytes.Repeat([]byte("abcdefgh"), MaxRow/8), true},
		{"larger", bytes.Repeat([]byte("abcdefgh"), MaxRow/8+1), false},
		{"what does not compress", noise[:MaxSource-100], true}, {"more than an item holds", noise, false},
	} {
		packed := PackSource(c.source, AsIsInItem)
		got, err := UnpackSource(packed)
		if err != nil || c.kept != bytes.Equal(got, c.source) && len(c.source) > 0 || !c.kept && got != nil {
			t.Errorf("%s: %d bytes became %d, then %d, %v", c.name, len(c.source), len(packed), len(got), err)
		}
		if len(packed) > MaxSource+1 {
			t.Errorf("%s: packed to %d bytes", c.name, len(packed))
		}
	}
}

// Stored for 30 days: what is packed now must stay readable.
func TestStoredSource(t *testing.T) {
	packed, err := hex.DecodeString("0128b52ffd04003900007b226e223a317dd4acbc73")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := UnpackSource(packed); err != nil || string(got) != `{"n":1}` {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := UnpackSource([]byte("\x02{\"n\":1}")); err != nil || string(got) != `{"n":1}` {
		t.Errorf("as it is: got %q, %v", got, err)
	}
	other := append([]byte{9}, packed[1:]...)
	if _, err := UnpackSource(other); err == nil || !strings.Contains(err.Error(), "format 9, this program knows formats 1 and 2") {
		t.Errorf("another format: %v", err)
	}
	for n := 1; n < len(packed); n++ {
		if got, err := UnpackSource(packed[:n]); err == nil && len(got) > 0 {
			t.Errorf("cut at %d: got %q", n, got)
		}
	}
}

func FuzzUnpackSource(f *testing.F) {
	f.Add([]byte{sourceFormat})
	f.Add(PackSource([]byte(`{"n":1}`), AsIsInItem))
	f.Add(PackSource(bytes.Repeat([]byte("s"), AsIsInItem+1), AsIsInItem))
	f.Fuzz(func(t *testing.T, packed []byte) {
		if got, err := UnpackSource(packed); err == nil && len(got) > MaxRow+1<<10 {
			t.Errorf("%d bytes became %d", len(packed), len(got))
		}
	})
}
