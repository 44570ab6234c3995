package row

import (
	"encoding/hex"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func values(texts ...string) (out []jsontext.Value) {
	for _, s := range texts {
		if s == "" {
			out = append(out, nil)
			continue
		}
		out = append(out, jsontext.Value(s))
	}
	return out
}

// TestDigest locks the stored form and what it tells apart.
func TestDigest(t *testing.T) {
	names := Tags("Name", "Score__c")
	print, scratch := Digest(names, values(`"ACME"`, `85.5`), nil)
	if got, want := hex.EncodeToString(print[:]), "baa7fca406388ddd8731f6f9228316d7"; got != want {
		t.Errorf("the stored form changed: %s, was %s; another form needs another digestFormat", got, want)
	}
	if again, _ := Digest(names, values(`"ACME"`, `85.5`), scratch); again != print {
		t.Error("a used scratch gives another fingerprint")
	}
	seen := map[Fingerprint][]string{}
	for _, row := range [][]string{{`"ACME"`, `85.5`}, {`"ACME"`, ``}, {`"ACME"`, `null`}, {``, `85.5`}, {``, ``}, {`"ACME"`, `"85.5"`}, {`null`, `null`}, {`"ACME\u0000Score__c"`, `85.5`}} {
		print, _ := Digest(names, values(row...), nil)
		if other, twice := seen[print]; twice || print.Void() {
			t.Errorf("%v has the fingerprint of %v", row, other)
		}
		seen[print] = row
	}
	if other, _ := Digest(Tags("Name", "Size__c"), values(`"ACME"`, `85.5`), nil); other == print {
		t.Error("another field has the same fingerprint")
	}
}

func TestLane(t *testing.T) {
	for _, lanes := range []int{0, 1} {
		if Lane("key", lanes) != 0 {
			t.Errorf("%d lanes", lanes)
		}
	}
	used := map[int]bool{}
	for _, key := range []string{"", "a", "b", "c", "acme.com", "ä", "0015g0000000001AAA", "1", "2", "3", "4", "5"} {
		n := Lane(key, 4)
		if n < 0 || n > 3 || n != Lane(key, 4) {
			t.Errorf("%q is in lane %d", key, n)
		}
		used[n] = true
	}
	if len(used) != 4 {
		t.Errorf("only lanes %v are used", used)
	}
}
