package duckdb

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplit(t *testing.T) {
	for text, want := range map[string]struct {
		pieces []Piece
		open   bool
	}{
		"":                                  {nil, false},
		" -- nothing\n ; ;":                 {nil, false},
		"SELECT 1":                          {[]Piece{{"SELECT 1", 0}}, true},
		" SELECT 1 ;\n\nSELECT ';' -- ;\n;": {[]Piece{{"SELECT 1", 1}, {"SELECT ';' -- ;", 13}}, false},
		"SELECT 'a;b'; SELECT $$;$$":        {[]Piece{{"SELECT 'a;b'", 0}, {"SELECT $$;$$", 14}}, true},
		"SELECT 'open;":                     {[]Piece{{"SELECT 'open;", 0}}, true},
	} {
		pieces, open := Split(text)
		if d := cmp.Diff(want.pieces, pieces); d != "" || open != want.open {
			t.Errorf("%q: open %v\n%s", text, open, d)
		}
	}
}
