package sqlite

import (
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/row"
)

var update = flag.Bool("update", false, "write the golden files")

var sample = []ledger.Entry{
	{Key: "acme.com", Fingerprint: row.Fingerprint{1, 15: 2}, Fields: []uint32{1, 1<<32 - 1}, ID: "0015g", Place: 1773500966535897932},
	{Key: "größe", Place: -1, Error: "health.1#b1#3", Intent: "health.1#b1#4"},
	{Key: strings.Repeat("k", 200), Place: 4},
	{},
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("what is stored changed: raise schemaVersion if it must (-want +got):\n%s", diff)
	}
}

func TestEntryGolden(t *testing.T) {
	var b strings.Builder
	for i := range sample {
		value := appendEntry(nil, &sample[i], 300)
		fmt.Fprintln(&b, hex.EncodeToString(value))
		var r reader
		e, origin, ok, err := r.entry(sample[i].Key, value)
		if err != nil || !ok || origin != 300 {
			t.Errorf("entry %d: origin %d, ok %t, %v", i, origin, ok, err)
		}
		if diff := cmp.Diff(sample[i], e); diff != "" {
			t.Errorf("entry %d (-want +got):\n%s", i, diff)
		}
		if _, _, ok, err := r.entry("another", value); ok || err != nil {
			t.Errorf("entry %d under another key: ok %t, %v", i, ok, err)
		}
		void := sample[i]
		void.Fingerprint, void.Fields = row.Fingerprint{}, nil
		if diff := cmp.Diff(appendEntry(nil, &void, 300), voided(value)); diff != "" {
			t.Errorf("entry %d voided (-want +got):\n%s", i, diff)
		}
		if n := keySize(len(sample[i].Key)); string(value[8:8+n]) != string(appendText(nil, sample[i].Key)) {
			t.Errorf("entry %d: keySize %d", i, n)
		}
	}
	golden(t, "entry", b.String())
}

func TestDamagedEntry(t *testing.T) {
	value := appendEntry(nil, &sample[0], 300)
	for n := range value {
		var r reader
		if _, _, ok, err := r.entry(sample[0].Key, value[:n]); ok || !errors.Is(err, errEntry) {
			t.Errorf("%d bytes of %d: ok %t, %v", n, len(value), ok, err)
		}
	}
	var r reader
	if _, _, ok, err := r.entry(sample[0].Key, append(value, 0)); ok || !errors.Is(err, errEntry) {
		t.Errorf("a byte too many: ok %t, %v", ok, err)
	}
}

func FuzzEntry(f *testing.F) {
	for i := range sample {
		f.Add(sample[i].Key, appendEntry(nil, &sample[i], 1))
	}
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		var r reader
		if e, _, ok, _ := r.entry(key, value); ok && e.Key != key {
			t.Errorf("got the entry of %q for %q", e.Key, key)
		}
	})
}

// A row of pending holds values of any length.
func TestPendingLengths(t *testing.T) {
	var body []byte
	lengths := []int{0, 1, 90, 120, 130, 16_350, 16_360, 16_370, 16_380, 16_390, 70_000, 3_000_000}
	for i, n := range lengths {
		body = appendPending(body, int64(i), &ledger.Entry{Key: fmt.Sprint(i), ID: strings.Repeat("x", n)}, 1)
	}
	var l late
	if err := l.take(1, body); err != nil {
		t.Fatal(err)
	}
	for i, n := range lengths {
		var r reader
		e, _, ok, err := r.entry(fmt.Sprint(i), l.get(int64(i), fmt.Sprint(i)))
		if err != nil || !ok || len(e.ID) != n {
			t.Errorf("length %d: got %d, %t, %v", n, len(e.ID), ok, err)
		}
	}
	for _, n := range []int{1, 8, 9, 20, len(body) - 1} {
		if err := new(late).take(1, body[:n]); !errors.Is(err, errEntry) {
			t.Errorf("%d bytes of %d: %v", n, len(body), err)
		}
	}
}

// Keys whose hashes are equal share a chain.
func TestKeysWithOneHash(t *testing.T) {
	real := slotOf
	t.Cleanup(func() { slotOf = real })
	slotOf = func(target int64, key []byte) int64 { return target<<hashBits | int64(len(key)) }
	for _, most := range []int{1, 5, lateMost} {
		t.Run(fmt.Sprint("sorted in at ", most), func(t *testing.T) { testKeysWithOneHash(t, most) })
	}
}

func testKeysWithOneHash(t *testing.T, most int) {
	s := mustOpen(t, "", newClock().now)
	s.lateMost = most
	entry := func(key string, place int64) ledger.Entry {
		return ledger.Entry{Key: key, Place: place, Fingerprint: row.Fingerprint{byte(place)}, ID: "id of " + key}
	}
	commit := func(entries ...ledger.Entry) {
		t.Helper()
		if err := s.Commit(t.Context(), "t", entries); err != nil {
			t.Fatal(err)
		}
	}
	commit(entry("a", 1), entry("b", 1), entry("cc", 1), entry("c", 1)) // slots 1, 2 | 2 -> 3 | 1 -> 4
	commit(entry("c", 2), entry("b", 0), entry("cc", 3))
	void := entry("b", 1)
	void.Fingerprint = row.Fingerprint{}
	want := map[string]ledger.Entry{"a": entry("a", 1), "b": void, "c": entry("c", 2), "cc": entry("cc", 3)}
	got, err := s.Entries(t.Context(), "t", []string{"a", "b", "c", "d", "cc", "dd"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
