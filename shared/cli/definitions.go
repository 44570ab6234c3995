package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
	"github.com/penstock-data/penstock/sql"
)

// definitions are the arguments of commands that read sync definitions.
type definitions struct {
	Files []string `arg:"" optional:"" help:"Definitions (NAME.yaml), folders of them, or names of syncs; all of --syncs when none is given."`
	Syncs string   `help:"The folder of definitions and connections.yaml: syncs, or else sql/syncs, when not given." placeholder:"DIR"`
}

// load reads and checks the definitions, and prints what is accepted without
// effect.
func (d definitions) load(s program) (yamlfile.Set, error) {
	set, err := d.read(s.known.kinds())
	if err != nil {
		return set, faulty(s, err)
	}
	for _, n := range set.Notices() {
		fmt.Fprintln(s.err, n)
	}
	s.tellLeft(set)
	return set, nil
}

// tellLeft prints which subfolders are left out.
func (s program) tellLeft(set yamlfile.Set) {
	for _, n := range left(set) {
		fmt.Fprintln(s.err, n)
	}
}

// left says which subfolders are left out.
func left(set yamlfile.Set) (out syncdef.Faults) {
	for _, dir := range set.Left {
		out = append(out, syncdef.Fault{File: dir, Message: "the definitions of this folder are left out, because a folder is read without its subfolders; name it to have them read"})
	}
	return out
}

// read reads and checks the definitions; the error may be a syncdef.Faults.
func (d definitions) read(kinds []syncdef.Kind) (yamlfile.Set, error) {
	if len(d.Files) == 0 {
		return loadFolder(d.Syncs, kinds)
	}
	paths, err := d.paths()
	if err != nil {
		return yamlfile.Set{}, err
	}
	set, err := yamlfile.LoadFiles(paths, kinds)
	set.Left = d.left()
	if err != nil {
		return set, err
	}
	return set, refuseOwn(set)
}

// left are the subfolders with definitions of the folders that the arguments name, but
// for those that are named themselves.
func (d definitions) left() (out []string) {
	for _, arg := range d.Files {
		for _, in := range yamlfile.Subfolders(arg) {
			if !slices.ContainsFunc(d.Files, func(named string) bool {
				return strings.HasPrefix(filepath.Clean(named)+string(filepath.Separator), in+string(filepath.Separator))
			}) {
				out = append(out, in)
			}
		}
	}
	return out
}

// refuseOwn refuses a model that would take the place of a table or view that people read
// monitoring from, or that runs are kept in.
func refuseOwn(set yamlfile.Set) error {
	var faults syncdef.Faults
	for _, y := range set.Syncs {
		if name := y.Definition.Relation(); y.Model != "" && slices.Contains(sql.MonitoringNames(), strings.ToLower(name)) {
			faults = append(faults, y.Placed([]syncdef.Fault{{Path: "model", Message: "model: " + name + " is a table or view of Penstock's own; give the model another name with model: NAME"}})...)
		}
	}
	return faults.Err()
}

// sampleFolder is the --syncs that means the sample's definitions, which are in
// the program, where no folder has that name.
const sampleFolder = "sample"

// syncsFolder is the folder of definitions where none is named: a project's, or
// this repository's; "" where there is neither.
func syncsFolder() string {
	for _, dir := range []string{"syncs", filepath.Join("sql", "syncs")} {
		if isFolder(dir) {
			return dir
		}
	}
	return ""
}

func isFolder(path string) bool {
	at, err := os.Stat(path)
	return err == nil && at.IsDir()
}

// loadFolder reads a folder's definitions; "" is syncsFolder's.
func loadFolder(dir string, kinds []syncdef.Kind) (yamlfile.Set, error) {
	if dir == "" {
		if dir = syncsFolder(); dir == "" {
			return yamlfile.Set{}, errors.New("there is no folder of sync definitions here, neither syncs nor sql/syncs: make one with  " + self() + " init  or pass --syncs DIR")
		}
	}
	if dir == sampleFolder && !isFolder(dir) {
		return yamlfile.LoadFS(sql.Syncs(), kinds)
	}
	set, err := yamlfile.Load(dir, kinds)
	if errors.Is(err, fs.ErrNotExist) {
		return set, fmt.Errorf("there is no folder %s of sync definitions here: make one with  %s init  or pass --syncs DIR", dir, self())
	}
	if err != nil {
		return set, err
	}
	return set, refuseOwn(set)
}

// faulty prints faults one a line, so that editors can jump to them.
func faulty(s program, err error) error {
	var faults syncdef.Faults
	if !errors.As(err, &faults) {
		return err
	}
	fmt.Fprintln(s.err, faults.Error())
	return fmt.Errorf("%s in the sync definitions; nothing was changed", english.Plural(len(faults), "fault", ""))
}
