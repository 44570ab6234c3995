package vendors_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// mostMethods is how many methods an interface may have: it stands at its consumer, and
// says what that needs.
const mostMethods = 5

// wide are the interfaces that may have more, by folder and name.
var wide = map[string]string{
	"shared/storetest.Store": "the union of all storage interfaces, which the one suite runs over both implementations",
}

// No interface asks for more than its consumer needs.
func TestInterfacesAreSmall(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	set := token.NewFileSet()
	packages := map[string][]*ast.File{} // by folder
	err := filepath.WalkDir(filepath.Join(root, "shared"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		folder := filepath.ToSlash(strings.TrimPrefix(filepath.Dir(path), root+string(filepath.Separator)))
		packages[folder] = append(packages[folder], file)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	used, seen := map[string]bool{}, 0
	for folder, files := range packages {
		named := interfacesIn(set, files)
		seen += len(named)
		for name, i := range named {
			n := methods(i, named)
			if _, may := wide[folder+"."+name]; may && n > mostMethods {
				used[folder+"."+name] = true
				continue
			}
			if n > mostMethods {
				t.Errorf("%s: %s has %d methods, at most %d: split it by who uses it", set.Position(i.Pos()), name, n, mostMethods)
			}
		}
	}
	if seen == 0 {
		t.Error("no interface was found")
	}
	for name, why := range wide {
		if !used[name] {
			t.Errorf("%s (%s) is not wide: take it off the list", name, why)
		}
	}
}

// interfacesIn are a package's interface types by name; those without one by the place
// where they stand, which no embedded name can be.
func interfacesIn(set *token.FileSet, files []*ast.File) map[string]*ast.InterfaceType {
	out, known := map[string]*ast.InterfaceType{}, map[*ast.InterfaceType]bool{}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeSpec:
				if i, is := n.Type.(*ast.InterfaceType); is {
					out[n.Name.Name], known[i] = i, true
				}
			case *ast.InterfaceType:
				if !known[n] {
					out["the one at "+set.Position(n.Pos()).String()] = n
				}
			}
			return true
		})
	}
	return out
}

// methods counts an interface's methods, those of embedded interfaces of its own package
// among them; one of another package counts as one.
func methods(i *ast.InterfaceType, named map[string]*ast.InterfaceType) (n int) {
	for _, f := range i.Methods.List {
		embedded, is := f.Type.(*ast.Ident)
		if is && named[embedded.Name] != nil {
			n += methods(named[embedded.Name], named)
			continue
		}
		n += max(1, len(f.Names))
	}
	return n
}
