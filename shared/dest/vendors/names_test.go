package vendors_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/dest/vendors"
)

// vendorNames are the destination types of the list, and one that only a test knows.
func vendorNames() []string {
	names := []string{"cardfile"}
	for _, v := range vendors.Vendors() {
		names = append(names, v.Name)
	}
	return names
}

// named are the places that may name vendors in Go code, by the beginning of their
// path; with %s for what may name its own vendor only. Comments and tests may name
// any.
var named = map[string]string{
	"shared/dest/%s/":      "what a vendor is like",
	"shared/sandbox/%s/":   "its simulator",
	"functions/%s/":        "its worker: one main",
	"functions/sweep/":     "posts alerts",
	"shared/dest/vendors/": "the one list of vendors",
	"shared/cli/demo_":     "the demo's destinations",
	"shared/sample/":       "the sample of the demo, its messages among it",
	"events/":              "the sample's events",

	"shared/app/apptest/sample": "the test world of the sample",
	"shared/app/apptest/%s/":    "a vendor that only its tests know",
}

// Nothing outside a vendor's folder, its simulator, its function and the one list
// knows which vendors there are: another one is a folder and a line in the list.
func TestVendorsAreNamedInTheirPlaces(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	used, known := map[string]bool{}, vendorNames()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file := filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator)))
		names, err := vendorsIn(path, known)
		if err != nil {
			return err
		}
		for _, vendor := range slices.Sorted(maps.Keys(names)) {
			if place := allowedIn(file, vendor); place != "" {
				used[place] = true
				continue
			}
			t.Errorf("%s names %s: %s", file, vendor, strings.Join(names[vendor], ", "))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for place, why := range named {
		if !used[place] {
			t.Errorf("%s (%s) names no vendor: take it off the list", place, why)
		}
	}
}

// allowedIn is the place that allows a file to name a vendor, "" for none.
func allowedIn(file, vendor string) string {
	for place := range named {
		if strings.HasPrefix(file, strings.ReplaceAll(place, "%s", vendor)) {
			return place
		}
	}
	return ""
}

// vendorsIn finds the identifiers and literals of a file that name a vendor, with
// their lines.
func vendorsIn(path string, known []string) (map[string][]string, error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution) // without comments
	if err != nil {
		return nil, err
	}
	out := map[string][]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		text := ""
		switch n := n.(type) {
		case *ast.Ident:
			text = n.Name
		case *ast.BasicLit:
			text = n.Value
		default:
			return true
		}
		for _, vendor := range known {
			if strings.Contains(strings.ToLower(text), vendor) {
				out[vendor] = append(out[vendor], "line "+strings.TrimPrefix(set.Position(n.Pos()).String(), path+":"))
			}
		}
		return true
	})
	return out, nil
}
