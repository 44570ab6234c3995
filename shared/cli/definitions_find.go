package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// paths are the files that the arguments name. An argument is a folder, a file
// (a model stands for the definition beside it), or else a sync of --syncs.
func (d definitions) paths() ([]string, error) {
	var out []string
	var faults syncdef.Faults
	for _, arg := range d.Files {
		switch ext := filepath.Ext(arg); {
		case isFolder(arg):
			files, err := yamlfile.Files(arg)
			if err != nil {
				return nil, err
			}
			out = append(out, files...)
		case ext == ".sql":
			out = append(out, beside(strings.TrimSuffix(arg, ext)))
		case ext == ".yaml" || ext == ".yml" || strings.ContainsAny(arg, `/\`):
			out = append(out, arg) // which says itself when it is not there
		default:
			file, err := d.find(arg)
			if err != nil {
				faults = append(faults, syncdef.Fault{File: arg, Message: err.Error()})
				continue
			}
			out = append(out, file)
		}
	}
	return out, faults.Err()
}

// beside is the definition of that path without its ending.
func beside(path string) string {
	if _, err := os.Stat(path + ".yml"); err == nil {
		return path + ".yml"
	}
	return path + ".yaml"
}

// find is the file of a sync: the one of its name, else the one that names it.
func (d definitions) find(name string) (string, error) {
	dir := d.Syncs
	if dir == "" {
		dir = syncsFolder()
	}
	if dir == "" {
		return "", fmt.Errorf("there is no such file, and no folder of sync definitions here; pass --syncs DIR")
	}
	files, err := yamlfile.Files(dir)
	if err != nil {
		return "", err
	}
	var names []string
	for _, file := range files {
		if filepath.Base(file) == yamlfile.ConnectionsFile {
			continue
		}
		sync := syncOf(file)
		if sync == name {
			return file, nil
		}
		names = append(names, sync)
	}
	slices.Sort(names)
	if near := syncdef.Nearest(name, names); near != "" {
		return "", fmt.Errorf("neither a file nor a sync of %s; did you mean %s?", dir, near)
	}
	return "", fmt.Errorf("neither a file nor a sync of %s, which has: %s", dir, strings.Join(names, ", "))
}

// syncOf is the name of a file's sync: what its key says, also where more of it
// cannot be used, else the file's own name.
func syncOf(file string) string {
	var has struct{ Sync string }
	if src, err := os.ReadFile(file); err == nil && yaml.Unmarshal(src, &has) == nil && has.Sync != "" {
		return has.Sync
	}
	base := filepath.Base(file)
	return strings.TrimSuffix(base, filepath.Ext(base))
}
