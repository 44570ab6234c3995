package errors

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/run"
)

// noise is n bytes that do not compress, the same ones each time.
func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

// No item is over 100 KB; the message is there in any case, the source where it fits,
// and the key, by which an error is found open, whole where it fits.
func TestAnItemFits(t *testing.T) {
	source := noise(89 << 10)
	for name, c := range map[string]struct {
		e      run.RowError
		source bool // is kept
		key    int  // bytes of it that are kept
	}{
		"small":         {run.RowError{Key: "k", Message: "m", Source: []byte(`{"n":1}`)}, true, 1},
		"large source":  {run.RowError{Key: "k", Message: "m", Source: source}, true, 1},
		"huge source":   {run.RowError{Key: "k", Message: "m", Source: noise(200 << 10)}, false, 1},
		"long texts":    {run.RowError{Key: "k", Message: strings.Repeat("ü", 1<<20), RecordID: strings.Repeat("x", 1<<20), Source: source}, true, 1},
		"a long key":    {run.RowError{Key: strings.Repeat("k", 50<<10), Message: "m", Source: source}, false, 50 << 10},
		"a huge key":    {run.RowError{Key: strings.Repeat("k", 200<<10), Message: "m", Source: source}, false, maxText},
		"escaped texts": {run.RowError{Key: strings.Repeat("\x00", 200<<10), Message: strings.Repeat("\x00", 1<<20), RecordID: strings.Repeat("\xff", 1<<20)}, false, maxText},
		"a summary":     {run.RowError{Message: "m", Row: -1, Summary: make([]int, 2500)}, false, 0},
	} {
		c.e.Sync, c.e.Run, c.e.Batch = "health", "health.1", "b1"
		item, err := writeItem(c.e)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if n := attr.Size(item) + expiry; n > attr.MaxItem {
			t.Errorf("%s: %d bytes", name, n)
		}
		got, err := readItem(item)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(got.Key) != c.key || got.Message == "" || (got.Source != nil) != c.source {
			t.Errorf("%s: a key of %d and a source of %d bytes, message %.20q", name, len(got.Key), len(got.Source), got.Message)
		}
		if c.source && !bytes.Equal(got.Source, c.e.Source) {
			t.Errorf("%s: another source", name)
		}
	}
}

func TestUnknownFormat(t *testing.T) {
	item, err := writeItem(run.RowError{Sync: "health", Run: "health.1", Batch: "b1", Row: 7, Source: []byte(`{}`)})
	if err != nil {
		t.Fatal(err)
	}
	item[attr.F] = attr.Format(7)
	if _, err := readItem(item); !errors.Is(err, run.ErrFormat) || !strings.Contains(err.Error(), "format 7") || !strings.Contains(err.Error(), "format 1") {
		t.Error(err)
	}
	item[attr.F] = attr.Format(format)
	item["source"] = attr.B([]byte{9, 9})
	if _, err := readItem(item); err == nil || !strings.Contains(err.Error(), "format 9") {
		t.Error(err)
	}
	item["body"] = attr.S(`{"key":"secret value`)
	if _, err := readItem(item); err == nil || strings.Contains(err.Error(), "secret value") {
		t.Error(err) // I6
	}
}

// Errors of one batch are spread over all shards, and sort by their row's number.
func TestKeys(t *testing.T) {
	seen := map[string]bool{}
	last := ""
	for n := -1; n < 2000; n++ {
		k := key("health.1", "b1", n)
		seen[attr.String(k[attr.PK])] = true
		if sk := attr.String(k[attr.SK]); sk <= last {
			t.Fatalf("%s after %s", sk, last)
		} else {
			last = sk
		}
	}
	if len(seen) != shards {
		t.Errorf("%d shards are used, want %d", len(seen), shards)
	}
}

func TestToken(t *testing.T) {
	for after, want := range map[string]string{"": "health.1#", "b1#7": "health.1#b1#000000000007!", "b1.2#-1": "health.1#b1.2#-00000000001!"} {
		if got, err := start("health.1", after); err != nil || got != want {
			t.Errorf("%q: %q, %v", after, got, err)
		}
	}
	for _, after := range []string{"nonsense", "b1", "b1#", "b1#seven"} {
		if _, err := start("health.1", after); err == nil {
			t.Errorf("%q: no error", after)
		}
	}
}

func FuzzItem(f *testing.F) {
	f.Add(`{"run":"health.1","batch":"b1","row":3,"error_type":"busy"}`, envelope.PackSource([]byte(`{"n":1}`), envelope.AsIsInItem))
	f.Fuzz(func(t *testing.T, body string, source []byte) {
		item := attr.Item{attr.F: attr.Format(format), "body": attr.S(body), "source": attr.B(source)}
		e, err := readItem(item)
		if err != nil {
			return
		}
		written, err := writeItem(e)
		if err != nil {
			return
		}
		again, err := readItem(written)
		if err != nil {
			t.Fatal(err)
		}
		if len(e.Message)+len(e.Key)+len(e.RecordID)+len(e.Field)+len(e.Type) < maxText && cmp.Diff(e.Ref(), again.Ref()) != "" {
			t.Errorf("%s became %s", e.Ref(), again.Ref())
		}
	})
}
