package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/sql"
)

// write writes the files, in place of older ones of the same script. What an older
// version of it left under another name stays, and is told.
func (c setupCmd) write(s program, dialect sql.Dialect, params sql.Params) error {
	files, err := sql.Parts(dialect, params)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	for _, f := range files {
		if err := replaceable(filepath.Join(c.Out, f.Name), f.Text); err != nil {
			return err
		}
	}
	if err := writeAll(c.Out, files); err != nil {
		return fmt.Errorf("write the script: %w", err)
	}
	for _, f := range files {
		fmt.Fprintln(s.out, filepath.Join(c.Out, f.Name))
	}
	there, err := filepath.Glob(filepath.Join(globless(c.Out), "*.sql"))
	if err != nil {
		return err
	}
	var others []string
	for _, file := range there {
		name := filepath.Base(file)
		if !slices.ContainsFunc(files, func(f sql.File) bool { return f.Name == name }) {
			others = append(others, name)
		}
	}
	if len(others) > 0 {
		fmt.Fprintf(s.err, "not of this script, and left as they are: %s\n", strings.Join(others, ", "))
	}
	return nil
}

// replaceable refuses to put a text in the place of a file that does not begin with the
// same line: one of another script, or a person's own.
func replaceable(path, text string) error {
	old, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for what is there: %w", err)
	}
	first, _, _ := strings.Cut(text, "\n")
	if is, _, _ := strings.Cut(string(old), "\n"); strings.TrimRight(is, "\r") != first {
		return fmt.Errorf("%s is not of this script, whose files begin with %q: nothing was written; move it away, or name another folder with --out", path, first)
	}
	return nil
}

// writeAll writes the files beside their places first, so that a full disk leaves all
// places as they were.
func writeAll(dir string, files []sql.File) (err error) {
	beside, err := os.MkdirTemp(dir, ".penstock-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(beside)) }()
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(beside, f.Name), []byte(f.Text), 0o644); err != nil { //nolint:gosec // a script without secrets, to be read by others
			return err
		}
	}
	for _, f := range files {
		if err := os.Rename(filepath.Join(beside, f.Name), filepath.Join(dir, f.Name)); err != nil {
			return err
		}
	}
	return nil
}
