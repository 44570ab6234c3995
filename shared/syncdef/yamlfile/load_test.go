package yamlfile_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// folder writes files and gives their folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const connections = `connections:
  crm_prod: {type: crm, url: "https://acme.crm.example"}
  chat_prod: {type: chat}
`

func TestLoadReportsAllFiles(t *testing.T) {
	dir := folder(t, map[string]string{
		"connections.yaml": connections + "  other: {type: desk}\n",
		"b.yaml":           account + fields + "lanes: 0\n",
		"a.yml":            account + fields + "connection: other\nlanes: 99\n",
		"c.yaml":           "sync: d\n" + account + fields,
		"d.yaml":           account + fields,
		"d.sql":            "SELECT 1",
		"notes.txt":        "not read",
	})
	set, err := yamlfile.Load(dir, kinds)
	var got syncdef.Faults
	if !errors.As(err, &got) {
		t.Fatalf("no faults: %v", err)
	}
	want := `a.yml:5:8: lanes: 99 is out of range; allowed: 1 to 64
b.yaml:4:8: lanes: 0 is out of range; allowed: 1 to 64
connections.yaml:4:17: type: "desk" is not known; allowed: crm, chat
d.yaml:1:1: the sync d is defined in c.yaml already`
	if diff := cmp.Diff(want, strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), "")); diff != "" {
		t.Error(diff)
	}
	if s, ok := set.Find("d"); !ok || s.Model != "" {
		t.Errorf("the sync d of c.yaml: found %v, model %q", ok, s.Model)
	}
}

func TestLoadModels(t *testing.T) {
	dir := folder(t, map[string]string{"connections.yaml": connections, "a.yaml": account + fields, "a.sql": "SELECT 1\n", "b.yaml": account + fields})
	set, err := yamlfile.LoadFiles([]string{filepath.Join(dir, "b.yaml"), filepath.Join(dir, "a.yaml"), filepath.Join(dir, "b.yaml")}, kinds)
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Syncs) != 2 || set.Syncs[0].Model != "SELECT 1\n" || set.Syncs[1].Model != "" {
		t.Errorf("syncs: %+v", set.Syncs)
	}
}

// A model that is not UTF-8 is at fault as a definition is; a mark that some editors write
// is no part of it.
func TestLoadModelsEncoding(t *testing.T) {
	dir := folder(t, map[string]string{
		"connections.yaml": connections,
		"a.yaml":           account + fields, "a.sql": "SELECT 'é',\n 'caf\xe9'",
		"b.yaml": account + fields, "b.sql": "\xff\xfeS\x00",
		"c.yaml": account + fields, "c.sql": "\ufeffSELECT 1",
	})
	set, err := yamlfile.Load(dir, kinds)
	const want = "a.sql:2:6: this byte is not UTF-8; save the file as UTF-8\nb.sql:1:1: the file is UTF-16; save it as UTF-8"
	if strings.ReplaceAll(fmt.Sprint(err), dir+string(filepath.Separator), "") != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if c, _ := set.Find("c"); c.Model != "SELECT 1" {
		t.Errorf("with a mark: %q", c.Model)
	}
}

// Two files may define one relation only with one text.
func TestLoadModelsOfOneName(t *testing.T) {
	dir := folder(t, map[string]string{
		"connections.yaml": connections,
		"a.yaml":           account + fields, "a.sql": "SELECT 1",
		"b.yaml": "model: a\n" + account + fields, "b.sql": "SELECT 1\n",
		"c.yaml": "model: A\n" + account + fields, "c.sql": "SELECT 2",
		"d.yaml": "model: a\n" + account + fields,
		"e.yaml": "model: s.a\n" + account + fields, "e.sql": "SELECT 3",
	})
	_, err := yamlfile.Load(dir, kinds)
	const want = "c.yaml:1:8: model: a.sql and c.sql define A with different text, and one view would serve both syncs; give one of them a model of another name, or take one file away"
	if err == nil || strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), "") != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// A word of SQL names no model, because that stands without quotes.
func TestLoadWordsOfSQL(t *testing.T) {
	dir := folder(t, map[string]string{
		"connections.yaml": connections,
		"order.yaml":       account + fields,
		"b.yaml":           "sync: semi\n" + account + fields,
		"c.yaml":           "model: sales.Order\n" + account + fields,
		"group.yaml":       "model: groups\n" + account + fields,
	})
	_, err := yamlfile.Load(dir, kinds)
	const want = `b.yaml:1:7: sync: semi is a word of SQL, which names no table without quotes; call the sync otherwise, or name a table or view with model: NAME
c.yaml:1:8: model: Order is a word of SQL, which names no table without quotes; give the view another name
order.yaml:1:1: sync: order is a word of SQL, which names no table without quotes; call the sync otherwise, or name a table or view with model: NAME`
	if err == nil {
		t.Fatal("no faults")
	}
	if diff := cmp.Diff(want, strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), "")); diff != "" {
		t.Error(diff)
	}
}

func TestLoadWhatIsNotThere(t *testing.T) {
	dir := folder(t, map[string]string{"a.yaml": account + fields + "lanes: 0\n"})
	for _, c := range []struct{ name, want string }{
		{"a.yaml", "a.yaml:4:8: lanes: 0 is out of range; allowed: 1 to 64\n" +
			"connections.yaml: there is no such file; definitions need it to know where they go"},
		{"z.yaml", "connections.yaml: there is no such file; definitions need it to know where they go\n" +
			"z.yaml: there is no such file"},
	} {
		_, err := yamlfile.LoadFiles([]string{filepath.Join(dir, c.name)}, kinds)
		if err == nil {
			t.Fatalf("%s: no error", c.name)
		}
		if got := strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), ""); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
	if _, err := yamlfile.Load(filepath.Join(dir, "nowhere"), kinds); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
	if _, err := yamlfile.Load(t.TempDir(), kinds); err == nil || !strings.Contains(err.Error(), "no sync definitions here") {
		t.Errorf("an empty folder: %v", err)
	}
}

// What is wrong with the connections is told once, and makes no fault of a definition.
func TestLoadFaultyConnections(t *testing.T) {
	kinds := append(slices.Clone(kinds), syncdef.Kind{Name: "pager", Posts: true})
	named := "connection: crm_prod\n" + account + "field_mappings: [{source: a, destination: B__c, personal: true}]\nnotifications: [{type: pager, channel: a}]\n"
	unnamed := strings.Replace(named, "connection: crm_prod\n", "", 1)
	const crm = `type: crm, url: "https://acme.crm.example", personal: allowed`
	for _, c := range []struct{ name, file, src, want string }{
		{"type", "connections.yaml", "connections:\n  crm_prod: {type: cmr, personal: allowed}\n  other: {type: pager}\n", `connections.yaml:2:20: type: "cmr" is not known; did you mean crm? Allowed: crm, chat, pager`},
		{"no type", "connections.yaml", "connections:\n  crm_prod: {secret: a, personal: allowed}\n  other: {type: pager}\n", "connections.yaml:2:13: type is missing; allowed: crm, chat, pager"},
		{"no settings", "connections.yaml", "connections: {crm_prod: a, other: {type: pager}}\n", `connections.yaml:1:25: a connection must be a mapping of keys to values, not "a"`},
		{"name", "connections.yaml", "connections:\n  Crm_prod: {" + crm + "}\n  other: {type: pager}\n", `connections.yaml:2:3: "Crm_prod" cannot name a connection; use a small letter, then up to 62 small letters, digits, _ and -`},
		{"the channel's", "connections.yaml", "connections:\n  crm_prod: {" + crm + "}\n  other: {type: pagr}\n", `connections.yaml:3:17: type: "pagr" is not known; did you mean pager? Allowed: crm, chat, pager`},
		{"personal", "connections.yaml", "connections:\n  crm_prod: {" + strings.Replace(crm, "allowed", "alowed", 1) + "}\n  other: {type: pager}\n", `connections.yaml:2:68: personal: "alowed" is not known; did you mean allowed? Allowed: allowed`},
		{"a list", "connections.yaml", "connections: [crm_prod]\n", "connections.yaml:1:14: connections must be a mapping of keys to values, not a list"},
		{"empty", "connections.yaml", "", "connections.yaml:1:1: the file is empty; it must hold the key connections"},
		{"misspelt key", "connections.yaml", "connections:\n  crm_prod: {type: crm, ulr: \"https://acme.crm.example\", personal: allowed}\n  other: {type: pager}\n", "connections.yaml:2:25: unknown key ulr; did you mean url?"},
		{"none", "notes.txt", "", "connections.yaml: there is no such file; definitions need it to know where they go"},
		{"ending", "connections.yml", connections, "connections.yml: definitions do not find their connections under this name: rename it to connections.yaml"},
		{"singular", "connection.yaml", connections, "connection.yaml: definitions do not find their connections under this name: rename it to connections.yaml"},
		{"singular and ending", "connection.yml", connections, "connection.yml: definitions do not find their connections under this name: rename it to connections.yaml"},
	} {
		dir := folder(t, map[string]string{c.file: c.src, "a.yaml": named, "b.yaml": unnamed})
		_, whole := yamlfile.Load(dir, kinds)
		_, one := yamlfile.LoadFiles([]string{filepath.Join(dir, "a.yaml")}, kinds)
		for _, err := range []error{whole, one} {
			if got := strings.ReplaceAll(fmt.Sprint(err), dir+string(filepath.Separator), ""); got != c.want {
				t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
			}
		}
	}
	dir := folder(t, map[string]string{"connections.yaml": connections, "connections.yml": connections})
	const want = "connections.yml: connections stand in connections.yaml, which is there, too: move these to it, and delete this file"
	if _, err := yamlfile.Load(dir, kinds); strings.ReplaceAll(fmt.Sprint(err), dir+string(filepath.Separator), "") != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// A missing column is reported where the text names it, or where it is implied.
func TestCheckColumnsHasPlaces(t *testing.T) {
	dir := folder(t, map[string]string{
		"connections.yaml": connections,
		"a.yaml":           account + "field_mappings:\n  - {source: health_scor, destination: B__c}\nincremental: {cursor: updated}\n",
	})
	set, err := yamlfile.Load(dir, kinds)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range set.Syncs[0].CheckColumns([]string{"EMAIL_ADDRESS", "health_score", "x", "X"}) {
		got = append(got, strings.TrimPrefix(f.Error(), dir+string(filepath.Separator)))
	}
	want := []string{
		`a.yaml:2:20: column "email" is not in the model, which has: EMAIL_ADDRESS, health_score, x, X`,
		`a.yaml:4:14: column "health_scor" is not in the model; did you mean health_score?`,
		`a.yaml:5:23: column "updated" is not in the model, which has: EMAIL_ADDRESS, health_score, x, X`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
