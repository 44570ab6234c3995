package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A fault names the line, and shows no value.
func TestJSONFileFaults(t *testing.T) {
	for text, want := range map[string]string{
		"{\"a\":1}\n{\"a\":secret}\n":                      "2: this is not JSON",
		"{\"a\":1}\n{\"a\":NaN}\n":                         "2: this is not JSON",
		"{\"a\":1}\n\n7\n":                                 "3: a row is a JSON object, and this is none",
		"[{\"a\":1},\n\"secret\"]":                         "2: a row is a JSON object, and this is none",
		"[{\"a\":1}\n,{\"a\":2}":                           "2: the JSON is cut off here",
		"[{\"a\":1}]\n{\"a\":2}":                           "1: the array ends here, and nothing may follow it",
		"[{\"a\":1},]":                                     "1: this is not JSON",
		"\ufeff{\"a\":1}\n{\"a\":\"secret\",\n\"a\":3}":    "3: the key \"a\" comes twice in an object; rename one",
		"{\"a\":\"\xff\"}":                                 "1: this is not JSON",
		"\n{\"a\":\"" + strings.Repeat("x", 8<<20) + "\"}": "2: this object has more than 8 MB, and is no row",
		"{\"a\":1}\n{\"a\":\"cut":                          "2: the JSON is cut off here",
	} {
		path := filepath.Join(t.TempDir(), "x.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := jsonRows(path); err == nil || err.Error() != path+":"+want {
			t.Errorf("%.40q: %v; want %s", text, err, want)
		}
	}
}
