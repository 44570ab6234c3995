package yamlfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// ConnectionsFile is the name of the file that a folder of definitions shares.
const ConnectionsFile = "connections.yaml"

// A Set is what a folder, or a choice of files, defines.
type Set struct {
	Connections syncdef.Connections // of all folders that were read, sorted by name
	Syncs       []Sync              // sorted by name
	Warehouse   *syncdef.Connection // where a stack's schedules run, as it is stored; nil where none is named
}

// A Sync is one definition with what stands beside it.
type Sync struct {
	File       string
	Definition syncdef.Definition
	Connection syncdef.Connection
	Rules      syncdef.Rules // what its destination type says of it: for syncdef.NewVersion
	Notices    []syncdef.Notice
	Model      string // the text of NAME.sql beside NAME.yaml, "" when there is none
	ModelFile  string // its path, "" when there is none
	places     map[string]at
}

// Used are the settings of the connections that a sync uses: its own, and those that
// its notifications post through.
func (s Set) Used(y Sync) []syncdef.Connection {
	used := []syncdef.Connection{y.Connection}
	for _, n := range y.Definition.Notifications {
		if c, ok := s.Connections.Find(n.Connection); ok && !slices.ContainsFunc(used, func(u syncdef.Connection) bool { return u.Name == c.Name }) {
			used = append(used, c)
		}
	}
	return used
}

// Find returns the sync of that name.
func (s Set) Find(name string) (Sync, bool) {
	for _, one := range s.Syncs {
		if one.Definition.Sync == name {
			return one, true
		}
	}
	return Sync{}, false
}

// Notices are those of all syncs.
func (s Set) Notices() []syncdef.Notice {
	var out []syncdef.Notice
	for _, one := range s.Syncs {
		out = append(out, one.Notices...)
	}
	return out
}

// Faulty reports whether one of the faults is of the sync's definition or of its
// connection, so that what the sync means is not sure.
func (s Sync) Faulty(faults []syncdef.Fault) bool {
	beside, path := filepath.Join(filepath.Dir(s.File), ConnectionsFile), join("connections", s.Definition.Connection)
	return s.Connection.Type == "" || slices.ContainsFunc(faults, func(f syncdef.Fault) bool {
		return f.File == s.File || f.File == beside && strings.HasPrefix(f.Path+".", path+".")
	})
}

// CheckColumns is syncdef.CheckColumns with the file, line and column of each
// fault.
func (s Sync) CheckColumns(columns []string) []syncdef.Fault {
	faults := s.Placed(syncdef.CheckColumns(s.Definition, columns))
	// An implied record id and its match column have one place and one message.
	return slices.CompactFunc(faults, func(a, b syncdef.Fault) bool { return a.Error() == b.Error() })
}

// Placed are faults of the sync, found by their Path, with the file, line and column of
// each.
func (s Sync) Placed(faults []syncdef.Fault) []syncdef.Fault {
	faults = slices.Clone(faults)
	for i := range faults {
		where := s.locate(faults[i].Path)
		faults[i].File, faults[i].Line, faults[i].Column = s.File, where.line, where.column
	}
	return faults
}

// locate finds a path in the text, or the nearest that holds it, or else what implied
// it: a default pair comes from matching_strategy, a default record id from match.
func (s Sync) locate(path string) at {
	for up := path; up != ""; up = parent(up) {
		if where, ok := s.places[up]; ok {
			return where
		}
	}
	if strings.HasPrefix(path, "match") || strings.HasPrefix(path, "record_id") {
		for _, p := range []string{"match", "matching_strategy"} {
			if where, ok := s.places[p]; ok {
				return where
			}
		}
	}
	return at{1, 1}
}

// Load reads connections.yaml and every other .yaml of a folder. The error is a
// syncdef.Faults over all files, or says that the folder cannot be read. kinds are
// the destination types that there are.
func Load(dir string, kinds []syncdef.Kind) (Set, error) {
	paths, err := Files(dir)
	if err != nil {
		return Set{}, err
	}
	l := newLoader(kinds)
	l.whole = true
	return l.load(paths)
}

// LoadFS is Load for the root of a file system, such as the embedded sample's.
func LoadFS(fsys fs.FS, kinds []syncdef.Kind) (Set, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return Set{}, fmt.Errorf("read sync definitions: %w", err)
	}
	l := newLoader(kinds)
	l.whole = true
	l.open = func(path string) ([]byte, error) { return fs.ReadFile(fsys, filepath.ToSlash(path)) }
	return l.load(definitionsAmong(entries))
}

// Files are the paths of a folder's YAML files, connections.yaml among them. The
// error says that the folder cannot be read, or, as a syncdef.Faults, that it has
// none.
func Files(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read sync definitions: %w", err)
	}
	paths := definitionsAmong(entries)
	if len(paths) == 0 {
		return nil, syncdef.Faults{{File: dir, Message: "no sync definitions here; a sync is NAME.yaml, with " + ConnectionsFile + " beside it"}}
	}
	for i, name := range paths {
		paths[i] = filepath.Join(dir, name)
	}
	return paths, nil
}

// definitionsAmong are the names of a folder's YAML files that are not hidden.
func definitionsAmong(entries []fs.DirEntry) (names []string) {
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); !e.IsDir() && (ext == ".yaml" || ext == ".yml") && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names
}

// LoadFiles reads definitions, each with the connections.yaml of its folder.
// Naming a connections.yaml checks it alone.
func LoadFiles(paths []string, kinds []syncdef.Kind) (Set, error) {
	return newLoader(kinds).load(paths)
}

func newLoader(kinds []syncdef.Kind) *loader {
	return &loader{kinds: kinds, open: os.ReadFile, folders: map[string]*folder{}, files: map[string]string{}}
}

func (l *loader) load(paths []string) (Set, error) {
	paths = slices.Clone(paths)
	slices.Sort(paths)
	for _, path := range slices.Compact(paths) {
		l.file(path)
	}
	slices.SortFunc(l.set.Syncs, func(a, b Sync) int { return strings.Compare(a.Definition.Sync, b.Definition.Sync) })
	slices.SortFunc(l.set.Connections, func(a, b syncdef.Connection) int { return strings.Compare(a.Name, b.Name) })
	l.set.Connections = slices.CompactFunc(l.set.Connections, func(a, b syncdef.Connection) bool { return reflect.DeepEqual(a, b) })
	l.order()
	l.models()
	l.faults.Sort()
	return l.set, l.faults.Err()
}

type loader struct {
	kinds   []syncdef.Kind
	whole   bool // all definitions of the folder are read
	open    func(path string) ([]byte, error)
	set     Set
	faults  syncdef.Faults
	folders map[string]*folder
	files   map[string]string // sync -> the file that defines it
}

// A folder is the connections of one folder; blind where a name or a type of them could
// not be read, which has its own fault.
type folder struct {
	conns syncdef.Connections
	blind bool
	there bool // connections.yaml is
}

func (l *loader) file(path string) {
	in := l.folder(filepath.Dir(path))
	if filepath.Base(path) == ConnectionsFile {
		return
	}
	src, ok := l.read(path, "")
	if !ok {
		return
	}
	if misnamed(path, src) {
		if in.there { // else it was told for it
			l.faults = append(l.faults, syncdef.Fault{File: path, Message: "connections stand in " + ConnectionsFile + ", which is there, too: move these to it, and delete this file"})
		}
		return
	}
	p := newParser(path, in.conns, l.kinds)
	p.blind = in.blind
	d := p.definition(src)
	l.faults = append(l.faults, p.faults...)
	if first, twice := l.files[d.Sync]; twice && d.Sync != "" {
		where := p.places["sync"]
		l.faults = append(l.faults, syncdef.Fault{File: path, Line: max(1, where.line), Column: max(1, where.column), Path: "sync",
			Message: fmt.Sprintf("the sync %s is defined in %s already", d.Sync, first)})
		return
	}
	l.files[d.Sync] = path
	conn, _ := in.conns.Find(d.Connection)
	text, model := l.model(path)
	l.set.Syncs = append(l.set.Syncs, Sync{
		File: path, Definition: d, Connection: conn, Rules: p.kind.RulesOf(&d, &conn), Notices: p.notices, Model: text, ModelFile: model, places: p.places,
	})
}

// folder reads a folder's connections once.
func (l *loader) folder(dir string) *folder {
	if f := l.folders[dir]; f != nil {
		return f
	}
	f := &folder{blind: true}
	l.folders[dir] = f
	path := filepath.Join(dir, ConnectionsFile)
	if _, err := l.open(path); errors.Is(err, fs.ErrNotExist) && l.renamed(dir) {
		return f
	}
	src, ok := l.read(path, "; definitions need it to know where they go")
	if !ok {
		return f
	}
	conns, warehouse, err := parseConnections(path, src, l.kinds)
	var faults syncdef.Faults
	if errors.As(err, &faults) {
		l.faults = append(l.faults, faults...)
	}
	f.conns, f.blind, f.there = conns, untold(faults, conns), true
	l.set.Connections = append(l.set.Connections, conns...)
	if l.set.Warehouse == nil {
		l.set.Warehouse = warehouse
	}
	return f
}

// untold reports whether faults leave a connection's name or type unknown: a definition
// that does not find its connection is not at fault then.
func untold(faults syncdef.Faults, conns syncdef.Connections) bool {
	return slices.ContainsFunc(faults, func(f syncdef.Fault) bool {
		return f.Path != "warehouse" && !strings.HasPrefix(f.Path, "warehouse.") && !slices.ContainsFunc(conns, func(c syncdef.Connection) bool {
			return c.Type != "" && strings.HasPrefix(f.Path+".", "connections."+c.Name+".")
		})
	})
}

// misnames are what people call connections.yaml.
var misnames = []string{"connections.yml", "connection.yaml", "connection.yml"}

// misnamed reports whether a file holds connections and has another name than theirs.
func misnamed(path string, src []byte) bool {
	var has map[string]yaml.Node
	return slices.Contains(misnames, filepath.Base(path)) && yaml.Unmarshal(src, &has) == nil && has["connections"].Kind != 0
}

// renamed reports a file of a folder without connections.yaml that stands for it.
func (l *loader) renamed(dir string) bool {
	for _, name := range misnames {
		path := filepath.Join(dir, name)
		if src, err := l.open(path); err == nil && misnamed(path, src) {
			l.faults = append(l.faults, syncdef.Fault{File: path, Message: "definitions do not find their connections under this name: rename it to " + ConnectionsFile})
			return true
		}
	}
	return false
}

// read gives a file's bytes, or reports why it cannot.
func (l *loader) read(path, why string) ([]byte, bool) {
	src, err := l.open(path)
	switch {
	case err == nil:
		return src, true
	case errors.Is(err, fs.ErrNotExist):
		l.faults = append(l.faults, syncdef.Fault{File: path, Message: "there is no such file" + why})
	default:
		l.faults = append(l.faults, syncdef.Fault{File: path, Message: "cannot be read: " + err.Error()})
	}
	return nil, false
}

// model reads NAME.sql beside NAME.yaml, where it exists, and gives its path.
func (l *loader) model(path string) (text, file string) {
	file = strings.TrimSuffix(path, filepath.Ext(path)) + ".sql"
	src, err := l.open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", ""
	}
	if err != nil {
		l.faults = append(l.faults, syncdef.Fault{File: file, Message: "cannot be read: " + err.Error()})
		return "", file
	}
	text, fault := ModelText(file, src)
	if fault != nil {
		l.faults = append(l.faults, *fault)
	}
	return text, file
}

// ModelText is what a model's file says, or the fault that it is not UTF-8.
func ModelText(file string, src []byte) (string, *syncdef.Fault) {
	if where, what := notUTF8(src); what != "" {
		return "", &syncdef.Fault{File: file, Line: where.line, Column: where.column, Message: what}
	}
	return strings.TrimPrefix(string(src), "\ufeff"), nil
}

// models finds relations that two files of a folder define: the later one would serve both
// syncs.
func (l *loader) models() {
	for i, y := range l.set.Syncs {
		for _, o := range l.set.Syncs[:i] {
			if y.Model == "" || o.Model == "" || filepath.Dir(o.File) != filepath.Dir(y.File) ||
				!strings.EqualFold(o.Definition.Relation(), y.Definition.Relation()) || strings.TrimSpace(o.Model) == strings.TrimSpace(y.Model) {
				continue
			}
			l.faults = append(l.faults, y.Placed([]syncdef.Fault{{Path: "model", Message: fmt.Sprintf(
				"model: %s and %s define %s with different text, and one view would serve both syncs; give one of them a model of another name, or take one file away",
				filepath.Base(o.ModelFile), filepath.Base(y.ModelFile), y.Definition.Relation())}})...)
			break
		}
	}
}
