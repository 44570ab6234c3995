package yamlfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// waiting writes definitions that differ in what they wait for.
func waiting(t *testing.T, after map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("connections.yaml", "connections:\n  crm_prod: {type: crm, url: https://crm.example.com, secret: s}\n")
	for name, a := range after {
		text := account + fields
		if a != "" {
			text += "after: " + a + "\n"
		}
		write(name+".yaml", text)
	}
	return dir
}

func TestOrder(t *testing.T) {
	for _, c := range []struct {
		name  string
		after map[string]string
		want  string // in the error; "" is none
	}{
		{"a chain", map[string]string{"a": "", "b": "a", "c": "[a, b]"}, ""},
		{"a diamond", map[string]string{"a": "", "b": "a", "c": "a", "d": "[b, c]"}, ""},
		{"two in a circle", map[string]string{"a": "b", "b": "a"}, "a.yaml:4:8: after goes round in a circle, a -> b -> a"},
		{"a circle behind a way in", map[string]string{"a": "b", "b": "c", "c": "[d]", "d": "b"}, "circle, b -> c -> d -> b"},
		{"a name that is not there", map[string]string{"companies": "", "contacts": "companys"}, "after: there is no sync companys in this folder; did you mean companies?"},
	} {
		dir := waiting(t, c.after)
		_, err := yamlfile.Load(dir, kinds)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || strings.Count(err.Error(), "\n") > 0):
			t.Errorf("%s: %v, want one fault with %s", c.name, err, c.want)
		}
		if c.name == "a name that is not there" { // the other one's file was not asked for
			if _, err := yamlfile.LoadFiles([]string{filepath.Join(dir, "contacts.yaml")}, kinds); err != nil {
				t.Errorf("one file alone: %v", err)
			}
		}
	}
	if got := syncdef.Cycle(map[string][]string{"a": {"b"}, "b": {"a"}}); got != "a -> b -> a" {
		t.Errorf("%q", got)
	}
}
