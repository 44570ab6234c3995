package cli

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestCSVHeader(t *testing.T) {
	for text, want := range map[string]string{
		"\ufeffid,name\n1,x\n":         "id,name",
		"id\tname\r\n1\tx\r\n":         "id,name",
		"id|\"a|b\"\n1|x\n":            "id,a|b",
		"id,name\r1,x\r2,y\r":          "id,name", // lines that end as on old Macs
		"id, name ,\n1,x,\n":           "id,name,column3",
		"\"id\",\"two\nlines\"\n1,x\n": "id,two\nlines",
	} {
		path := filepath.Join(t.TempDir(), "x.csv")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, _, err := csvHeader(path)
		if err != nil || !slices.Equal(got, strings.Split(want, ",")) {
			t.Errorf("%q: %q, %v; want %s", text, got, err, want)
		}
	}
}

func TestFileFaultShowsNoValue(t *testing.T) {
	for _, why := range []string{"Value with unterminated quote found.", "Invalid unicode (byte sequence mismatch) detected.", "Expected Number of Columns: 2 Found: 1", "something new"} {
		err := fileFault("x.csv", errors.New("Invalid Input Error: CSV Error on Line: 7\nOriginal Line: ann@acme.com,5\n"+why+"\n\n  quote = \" (Set By User)"))
		if text := err.Error(); strings.Contains(text, "acme") || strings.Contains(text, "\n") || !strings.HasPrefix(text, "x.csv:7: ") {
			t.Errorf("%s: %q", why, text)
		}
	}
}
