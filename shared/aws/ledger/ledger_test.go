package ledger

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/aws/attr"
	entries "github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

func TestSortKey(t *testing.T) {
	for _, key := range []string{"a", "größe", strings.Repeat("k", 1024)} {
		if got := sortKey(key); got != key {
			t.Errorf("%.20q became %q", key, got)
		}
	}
	seen := map[string]string{}
	for _, key := range []string{"", strings.Repeat("k", 1025), strings.Repeat("ü", 513), "\xff", hashed + "a", sortKey("")} {
		got := sortKey(key)
		if !strings.HasPrefix(got, hashed) || len(got) > maxSortKey {
			t.Errorf("%.20q became %q", key, got)
		}
		if other, twice := seen[got]; twice {
			t.Errorf("%.20q and %.20q share a sort key", key, other)
		}
		seen[got] = key
	}
}

func TestDamagedItem(t *testing.T) {
	for name, item := range map[string]attr.Item{
		"print": {"print": attr.B([]byte{1})}, "hashes": {"hashes": attr.B([]byte{1, 2, 3})},
	} {
		item[attr.F] = attr.Format(format)
		if _, err := readItem("k", item); err == nil || errors.Is(err, run.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnknownFormat(t *testing.T) {
	for found, item := range map[string]attr.Item{"format 0": {}, "format 7": {attr.F: attr.Format(7)}} {
		_, err := readItem("the key of a row", item)
		if !errors.Is(err, run.ErrFormat) || !strings.Contains(err.Error(), found) || !strings.Contains(err.Error(), "knows format 1") || strings.Contains(err.Error(), "key of a row") {
			t.Errorf("%s: %v", found, err)
		}
	}
}

// FuzzItem: what can be read is written as it was.
func FuzzItem(f *testing.F) {
	f.Add([]byte("0123456789abcdef"), []byte("abcd"), int64(1))
	f.Fuzz(func(t *testing.T, print, hashes []byte, revision int64) {
		item := attr.Item{attr.F: attr.Format(format), "r": attr.N(revision), "print": attr.B(print), "hashes": attr.B(hashes)}
		e, err := readItem("k", item)
		if err != nil {
			return
		}
		again, err := readItem("k", writeItem("target", &e, revision))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e, again); diff != "" {
			t.Error(diff)
		}
	})
}

// An entry at its bounds is far below what an item may have, and what passes them is
// left out as not known.
func TestEntryStaysSmall(t *testing.T) {
	e := entries.Entry{Key: strings.Repeat("ü", 300), Held: entries.Held{
		Fingerprint: row.Fingerprint{1}, Fields: make([]uint32, entries.MaxFields), ID: strings.Repeat("i", entries.MaxID), Version: "v0123456789ab", Sequence: 1 << 60,
	}}
	ref := run.ErrorRef(strings.Repeat("s", 63)+".q0123456789abcdef", "fedcba9876543210", 1<<31)
	e.Last = entries.Last{Run: strings.Repeat("s", 63) + ".q0123456789abcdef~2", Sequence: 1 << 60, Error: ref, Intent: ref, Unknown: true}
	target := strings.Repeat("t", 255)
	if e.Bound(); len(e.Held.Fields) != entries.MaxFields || e.Held.ID == "" {
		t.Error("what fits was left out")
	}
	if n := attr.Size(writeItem(target, &e, 1<<60)); n > attr.MaxItem {
		t.Errorf("%d bytes", n)
	}
	e.Held.Fields, e.Held.ID, e.Key = make([]uint32, 100_000), strings.Repeat("i", 1<<20), strings.Repeat("k", 1<<20)
	e.Bound()
	if n := attr.Size(writeItem(target, &e, 1)); n > 5000 || e.Held.Fingerprint.Void() || e.Held.Sequence == 0 {
		t.Errorf("%d bytes, %+v", n, e.Held)
	}
	if all := e.Changed(e.Held.Version, make([]uint32, 100_000), func(int) bool { return true }); !all(7) {
		t.Error("a field whose hash is not kept counts as unchanged")
	}
}
