package cli

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/dustin/go-humanize/english"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// definitions are the arguments of commands that read sync definitions.
type definitions struct {
	Files []string `arg:"" optional:"" help:"Definitions (NAME.yaml); all of --syncs when none is given."`
	Syncs string   `default:"sql/syncs" help:"The folder of definitions and connections.yaml."`
}

// load reads and checks the definitions, and prints what is accepted without
// effect.
func (d definitions) load(s program) (yamlfile.Set, error) {
	read := func() (yamlfile.Set, error) { return loadFolder(d.Syncs, s.known.kinds()) }
	if len(d.Files) > 0 {
		read = func() (yamlfile.Set, error) { return yamlfile.LoadFiles(d.Files, s.known.kinds()) }
	}
	set, err := read()
	if err != nil {
		return set, faulty(s, err)
	}
	for _, n := range set.Notices() {
		fmt.Fprintln(s.err, n)
	}
	return set, nil
}

// loadFolder reads a folder's definitions. The default folder is the
// repository's, so that elsewhere --syncs is needed.
func loadFolder(dir string, kinds []syncdef.Kind) (yamlfile.Set, error) {
	set, err := yamlfile.Load(dir, kinds)
	if errors.Is(err, fs.ErrNotExist) {
		return set, fmt.Errorf("there is no folder %s of sync definitions here: run this in the repository, or pass --syncs DIR", dir)
	}
	return set, err
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
