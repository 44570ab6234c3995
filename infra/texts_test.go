package infra_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// places are what texts put between backticks when they point into the repository.
var places = regexp.MustCompile("`((?:shared|functions|cmd|sql|infra|events|docs)/[A-Za-z0-9_./-]+)`")

// Every test that the page for a security review names as proof exists.
func TestSecurityPageNamesTests(t *testing.T) {
	page, err := os.ReadFile("../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	err = filepath.WalkDir("..", func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(source, -1) {
			there[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile("`(Test\\w+)`").FindAllSubmatch(page, -1)
	if len(names) < 12 {
		t.Errorf("found %d names: the pattern finds too little", len(names))
	}
	for _, m := range names {
		if !there[string(m[1])] {
			t.Errorf("docs/security.md names %s, which is not there", m[1])
		}
	}
}

// Every path that a text for people names exists.
func TestTextsPointSomewhere(t *testing.T) {
	found := 0
	for _, text := range []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "events/README.md", "infra/PERFORMANCE.md", "infra/RELIABILITY.md", "docs/adding-a-destination.md", "docs/adding-a-caller.md"} {
		b, err := os.ReadFile(filepath.Join("..", text))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range places.FindAllStringSubmatch(string(b), -1) {
			found++
			path := strings.TrimSuffix(m[1], "/")
			if strings.Contains(path, "NAME") || strings.Contains(path, "DIR") {
				continue // stands for any
			}
			if _, err := os.Stat(filepath.Join("..", path)); err != nil {
				t.Errorf("%s names %s, which is not there", text, path)
			}
		}
	}
	if found < 50 {
		t.Errorf("found %d paths: the pattern finds too little", found)
	}
}
