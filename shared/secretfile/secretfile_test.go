package secretfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSecret(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) {
		t.Helper()
		path := filepath.Join(dir, name+".json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil { // whatever the umask
			t.Fatal(err)
		}
	}
	write("file", `{"token":"hunter2"}`, 0o600)
	write("both", `{"token":"of the file"}`, 0o600)
	write("readonly", `{"token":"hunter2"}`, 0o400)
	write("group", `{"token":"hunter2"}`, 0o640)
	write("others", `{"token":"hunter2"}`, 0o604)
	write("broken", `hunter2`, 0o600)
	write("empty", ``, 0o600)
	write("spaces", " \n\t", 0o600)
	write("members", `{}`, 0o600)
	if err := os.Mkdir(filepath.Join(dir, "folder.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"PENSTOCK_SECRET_SLACK_PROD": `{"token":"xoxb"}`, "PENSTOCK_SECRET_BOTH": `{"token":"of the environment"}`,
		"PENSTOCK_SECRET_BAD": `{"token":31337}`,
	}
	r := &Reader{Dir: dir, Getenv: func(name string) string { return env[name] }}
	for name, want := range map[string]string{"slack-prod": "xoxb", "file": "hunter2", "readonly": "hunter2", "both": "of the environment"} {
		got, err := r.Secret(t.Context(), name)
		if diff := cmp.Diff(map[string]string{"token": want}, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	for name, want := range map[string]string{
		"none":  "set PENSTOCK_SECRET_NONE, or write " + filepath.Join(dir, "none.json") + " with mode 0600",
		"bad":   "in the environment variable PENSTOCK_SECRET_BAD is not a JSON object of strings: write it as",
		"group": "mode 0640): run: chmod 600", "others": "mode 0604): run: chmod 600", "broken": "is not a JSON object of strings: write it as",
		"empty": "empty.json is empty: write it as", "spaces": "is empty", "members": "is an empty JSON object", "folder": "folder.json",
		"../file": "cannot be a file's name", ".hidden": "cannot be a file's name", "": "secret \"\"",
	} {
		_, err := r.Secret(t.Context(), name)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q in it", name, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "31337")) {
			t.Errorf("%q: the error holds the secret (I6)", name)
		}
	}
	noFiles := &Reader{Getenv: r.Getenv}
	if _, err := noFiles.Secret(t.Context(), "none"); err == nil || !strings.Contains(err.Error(), "is absent: set PENSTOCK_SECRET_NONE to {") {
		t.Errorf("got %v", err)
	}
}
