package infra_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/penstock-data/penstock/"

// A program is this module's code that the functions link, type-checked.
type program struct {
	fset     *token.FileSet
	packages map[string]*types.Package // by path
	linked   map[string][]string       // by a function's path: the packages that it links
	// By what a package declares: the functions and variables that stand in it, the writes
	// of transactions that it makes, and its file.
	refers map[types.Object][]types.Object
	writes map[types.Object][]string
	files  map[types.Object]string
}

// loadProgram checks this module's packages from their source, and reads all others as
// they were compiled.
func loadProgram(t *testing.T) *program {
	t.Helper()
	list := exec.Command("go", "list", "-deps", "-export", "-json=ImportPath,Export,GoFiles,Dir,Deps", "../functions/...")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	p := &program{
		fset: token.NewFileSet(), packages: map[string]*types.Package{}, linked: map[string][]string{},
		refers: map[types.Object][]types.Object{}, writes: map[types.Object][]string{}, files: map[types.Object]string{},
	}
	exports := map[string]string{}
	compiled := importer.ForCompiler(p.fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var pkg struct {
			ImportPath, Export, Dir string
			GoFiles, Deps           []string
		}
		if err := d.Decode(&pkg); errors.Is(err, io.EOF) {
			return p
		} else if err != nil {
			t.Fatal(err)
		}
		exports[pkg.ImportPath], p.linked[pkg.ImportPath] = pkg.Export, pkg.Deps
		if !strings.HasPrefix(pkg.ImportPath, module) {
			continue
		}
		var files []*ast.File
		for _, name := range pkg.GoFiles {
			f, err := parser.ParseFile(p.fset, filepath.Join(pkg.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		}
		info := &types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}, Types: map[ast.Expr]types.TypeAndValue{}}
		checked, err := (&types.Config{Importer: importers{p.packages, compiled}}).Check(pkg.ImportPath, p.fset, files, info)
		if err != nil {
			t.Fatal(err)
		}
		p.packages[pkg.ImportPath] = checked
		for _, f := range files {
			for _, d := range f.Decls {
				p.note(info, d)
			}
		}
	}
}

// importers are this module's packages, of which no type may be there twice, and others.
type importers struct {
	own   map[string]*types.Package
	other types.Importer
}

func (i importers) Import(path string) (*types.Package, error) {
	if own := i.own[path]; own != nil {
		return own, nil
	}
	return i.other.Import(path)
}

// note keeps what stands in a declaration of a function or of variables.
func (p *program) note(info *types.Info, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		p.noteOf(info, info.Defs[d.Name], d)
	case *ast.GenDecl:
		for _, s := range d.Specs {
			if v, ok := s.(*ast.ValueSpec); ok {
				for _, name := range v.Names {
					p.noteOf(info, info.Defs[name], v)
				}
			}
		}
	}
}

func (p *program) noteOf(info *types.Info, of types.Object, in ast.Node) {
	p.files[of] = filepath.Base(p.fset.Position(in.Pos()).Filename)
	ast.Inspect(in, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			switch o := info.Uses[n].(type) {
			case *types.Func:
				p.refers[of] = append(p.refers[of], o.Origin())
			case *types.Var:
				if o.Pkg() != nil && o.Parent() == o.Pkg().Scope() {
					p.refers[of] = append(p.refers[of], o)
				}
			}
		case *ast.CallExpr: // Lambda's own library calls the handler
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && info.Uses[s.Sel].Pkg() != nil && info.Uses[s.Sel].Pkg().Path() == "github.com/aws/aws-lambda-go/lambda" {
				handler, _, _ := types.LookupFieldOrMethod(info.Types[n.Args[0]].Type, true, nil, "Invoke")
				p.refers[of] = append(p.refers[of], handler)
			}
		case *ast.CompositeLit:
			if t, ok := info.Types[n].Type.(*types.Named); ok && t.Obj().Name() == "TransactWriteItem" {
				for _, e := range n.Elts {
					p.writes[of] = append(p.writes[of], e.(*ast.KeyValueExpr).Key.(*ast.Ident).Name)
				}
			}
		}
		return true
	})
}

// reach lists what a function may come to from its main: whatever is referred to and, for
// an interface's method, that of each linked type that implements it. It is never too
// little, and too much where a value rules out what stands in the code.
func (p *program) reach(function string) map[types.Object]bool {
	linked := []*types.Package{p.packages[module+"functions/"+function]}
	for _, path := range p.linked[module+"functions/"+function] {
		if own := p.packages[path]; own != nil {
			linked = append(linked, own)
		}
	}
	reached := map[types.Object]bool{}
	next := []types.Object{linked[0].Scope().Lookup("main")}
	for len(next) > 0 {
		o := next[0]
		next = next[1:]
		if o == nil || reached[o] {
			continue
		}
		reached[o] = true
		next = append(append(next, p.refers[o]...), implementations(linked, o)...)
	}
	return reached
}

// implementations are the methods that a call of an interface's method may come to.
func implementations(linked []*types.Package, o types.Object) (all []types.Object) {
	f, ok := o.(*types.Func)
	if !ok || f.Signature().Recv() == nil {
		return nil
	}
	i, ok := f.Signature().Recv().Type().Underlying().(*types.Interface)
	if !ok {
		return nil
	}
	for _, pkg := range linked {
		for _, name := range pkg.Scope().Names() {
			declared, ok := pkg.Scope().Lookup(name).(*types.TypeName)
			if !ok || types.IsInterface(declared.Type()) {
				continue
			}
			if pointer := types.NewPointer(declared.Type()); types.Implements(pointer, i) {
				m, _, _ := types.LookupFieldOrMethod(pointer, true, f.Pkg(), f.Name())
				all = append(all, m.(*types.Func).Origin())
			}
		}
	}
	return all
}

// calls lists the actions that a package of shared/aws needs for what is reached in it,
// with those that attr makes for it.
func (p *program) calls(reached map[types.Object]bool, folder, service string) []string {
	found, seen := []string{}, map[types.Object]bool{}
	var next []types.Object
	for o := range reached {
		if o.Pkg() != nil && o.Pkg().Path() == module+"shared/aws/"+folder {
			next = append(next, o)
		}
	}
	for len(next) > 0 {
		o := next[0]
		next = next[1:]
		if seen[o] {
			continue
		}
		seen[o] = true
		for _, w := range p.writes[o] {
			found = append(found, service+":"+w+"Item")
		}
		for _, r := range p.refers[o] {
			f, ok := r.(*types.Func)
			switch {
			case !ok || f.Pkg() == nil:
			case f.Pkg().Path() == module+"shared/aws/attr":
				next = append(next, f)
			case strings.HasPrefix(f.Pkg().Path(), "github.com/aws/aws-sdk-go-v2/service/") && f.Signature().Recv() != nil:
				switch name := f.Name(); name {
				case "TransactWriteItems": // granted by its writes
				case "SendMessageBatch":
					found = append(found, service+":SendMessage")
				default:
					found = append(found, service+":"+name)
				}
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}
