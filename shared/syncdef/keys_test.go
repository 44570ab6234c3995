package syncdef_test

import (
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/syncdef"
)

func nested(t *testing.T, table []syncdef.Key, name string) []syncdef.Key {
	t.Helper()
	key, ok := syncdef.Named(table, name)
	if !ok {
		t.Fatalf("no key %s", name)
	}
	return key.Keys
}

// What a definition stores is what its file may say: a key without a field would be
// lost, a field without a key could not be set.
func TestTablesAreTheTypes(t *testing.T) {
	for _, c := range []struct {
		of    any
		table []syncdef.Key
		other []string // that come from elsewhere
	}{
		{syncdef.Definition{}, syncdef.DefinitionKeys, []string{"options"}}, // the object under the type's name
		{syncdef.Match{}, nested(t, syncdef.DefinitionKeys, "match"), nil},
		{syncdef.Retry{}, nested(t, syncdef.DefinitionKeys, "retry"), nil},
		{syncdef.Allow{}, nested(t, syncdef.DefinitionKeys, "allow"), nil},
		{syncdef.Incremental{}, nested(t, syncdef.DefinitionKeys, "incremental"), nil},
		{syncdef.Field{}, syncdef.FieldKeys, []string{"markup", "options"}},         // some types' own
		{syncdef.Connection{}, syncdef.ConnectionKeys, []string{"name", "options"}}, // the key that it stands under; the types' own
		{syncdef.Quota{}, nested(t, syncdef.ConnectionKeys, "quota"), nil},
	} {
		var fields []string
		for f := range reflect.TypeOf(c.of).Fields() {
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); !slices.Contains(c.other, name) {
				fields = append(fields, name)
			}
		}
		keys := syncdef.KeyNames(c.table)
		slices.Sort(fields)
		slices.Sort(keys)
		if diff := cmp.Diff(fields, keys); diff != "" {
			t.Errorf("%T: fields -, keys +\n%s", c.of, diff)
		}
	}
}

// Every key is explained, once, and would take its own default.
func TestTablesAreWhole(t *testing.T) {
	var visit func(path string, table []syncdef.Key)
	visit = func(path string, table []syncdef.Key) {
		seen := map[string]bool{}
		for _, key := range table {
			if seen[key.Name] {
				t.Errorf("%s%s stands in its table twice", path, key.Name)
			}
			seen[key.Name] = true
			if !strings.HasSuffix(key.Doc, ".") {
				t.Errorf("%s%s: %q is no sentence", path, key.Name, key.Doc)
			}
			if why := unfit(key); why != "" {
				t.Errorf("%s%s: %s", path, key.Name, why)
			}
			visit(path+key.Name+".", key.Keys)
		}
	}
	visit("", syncdef.DefinitionKeys)
	visit("connections.", syncdef.ConnectionKeys)
}

func unfit(key syncdef.Key) string {
	n, notNumber := strconv.Atoi(key.Default)
	d, notDuration := time.ParseDuration(key.Default)
	pattern, err := regexp.Compile("^(?:" + key.Pattern + ")$")
	object := key.Type == syncdef.KeyObject || key.Type == syncdef.KeyObjects
	switch {
	case object != (len(key.Keys) > 0):
		return "an object has keys, nothing else has"
	case err != nil || (key.Pattern != "" && !pattern.MatchString(key.Example)):
		return "its pattern does not match its example"
	case key.Default == "":
	case key.Type == syncdef.KeyInteger && (notNumber != nil || n < key.Min || n > key.Max):
		return "its default is no number within its bounds"
	case key.Type == syncdef.KeyDuration && (notDuration != nil || int(d.Seconds()) < key.Min || int(d.Seconds()) > key.Max):
		return "its default is no duration within its bounds"
	case len(key.Allowed) > 0 && !slices.Contains(key.Allowed, key.Default):
		return "its default is not allowed"
	}
	return ""
}

// The defaults that the road falls back on are those that the reader fills in.
func TestDefaultsAreOne(t *testing.T) {
	standard := func(object, name string) string {
		key, _ := syncdef.Named(nested(t, syncdef.DefinitionKeys, object), name)
		return key.Default
	}
	var none syncdef.Definition
	for name, c := range map[string]struct{ got, want string }{
		"attempts":       {strconv.Itoa(none.RetryAttempts()), standard("retry", "attempts")},
		"base":           {none.RetryBase().String(), "1m0s"},
		"max":            {none.RetryMax().String(), standard("retry", "max") + "0s"},
		"include_failed": {none.FailedFor().String(), standard("incremental", "include_failed") + "0m0s"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s without a value, %s in the table", name, c.got, c.want)
		}
	}
	if standard("retry", "base") != "60s" {
		t.Error("base: 1m0s without a value, another in the table")
	}
}
