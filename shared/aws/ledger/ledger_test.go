package ledger

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/row"
)

func TestFold(t *testing.T) {
	e := func(key string, place int64) ledger.Entry {
		return ledger.Entry{Key: key, Place: place, Fingerprint: row.Fingerprint{byte(place)}, Fields: []uint32{uint32(place)}}
	}
	void := func(key string, place int64) ledger.Entry { return ledger.Entry{Key: key, Place: place} }
	for name, tt := range map[string]struct{ in, want []ledger.Entry }{
		"none":              {nil, []ledger.Entry{}},
		"different keys":    {[]ledger.Entry{e("b", 2), e("a", 1)}, []ledger.Entry{e("b", 2), e("a", 1)}},
		"newer":             {[]ledger.Entry{e("a", 1), e("b", 1), e("a", 2)}, []ledger.Entry{e("a", 2), e("b", 1)}},
		"same place":        {[]ledger.Entry{e("a", 1), void("a", 1)}, []ledger.Entry{void("a", 1)}},
		"older voids":       {[]ledger.Entry{e("a", 2), e("a", 1)}, []ledger.Entry{void("a", 2)}},
		"newer after older": {[]ledger.Entry{e("a", 2), e("a", 1), e("a", 3)}, []ledger.Entry{e("a", 3)}},
	} {
		if diff := cmp.Diff(tt.want, fold(tt.in)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

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
		if _, err := readItem("k", item); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
