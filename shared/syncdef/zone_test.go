package syncdef

import (
	"archive/zip"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Every name of the database that Go carries is a zone's, and what only a machine's own
// folder has, or only some file systems find, is none.
func TestZone(t *testing.T) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	database, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	names := 0
	for _, f := range database.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		names++
		if zone, err := Zone(f.Name); err != nil || zone.String() != f.Name {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
	if names < 400 {
		t.Errorf("%d names", names)
	}
	for _, name := range []string{"", "Local", "local", "localtime", "posixrules", "posix/Europe/Berlin", "right/UTC", "europe/berlin", "Europe/berlin", "Europe/Atlantis", "/etc/localtime", "../UTC", "Europe/", "Berlin"} {
		if zone, err := Zone(name); err == nil || !strings.HasPrefix(err.Error(), "time_zone: ") {
			t.Errorf("%q: %v, %v", name, zone, err)
		}
	}
}
