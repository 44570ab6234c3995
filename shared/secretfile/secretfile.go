// Package secretfile reads connections' secrets on one machine: from the
// environment, or from a file that only its owner may read. A secret is a JSON
// object of strings. On AWS, shared/aws/secrets does this.
package secretfile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A Reader reads secrets. The environment goes before the files.
type Reader struct {
	// Dir holds NAME.json per secret; "" reads no files.
	Dir string
	// Getenv is os.Getenv.
	Getenv func(string) string
}

// Variable is the environment variable of a secret: PENSTOCK_SECRET_ and its name
// in upper case, with _ for everything but letters and digits.
func Variable(name string) string {
	return "PENSTOCK_SECRET_" + strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, name)
}

// Secret reads one secret. Its errors name the secret and the remedy, never a value.
func (r *Reader) Secret(_ context.Context, name string) (map[string]string, error) {
	variable := Variable(name)
	if text := r.Getenv(variable); text != "" {
		return parse([]byte(text), "the environment variable "+variable)
	}
	if r.Dir == "" {
		return nil, fmt.Errorf(`secret %q is absent: set %s to a JSON object of strings, such as {"key": "value"}`, name, variable)
	}
	if name != filepath.Base(name) || strings.HasPrefix(name, ".") {
		return nil, fmt.Errorf("secret %q cannot be a file's name: choose a name without slashes and leading dots, or set %s", name, variable)
	}
	path := filepath.Join(r.Dir, name+".json")
	text, err := readPrivate(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf(`secret %q is absent: set %s, or write %s with mode 0600; either is a JSON object of strings, such as {"key": "value"}`, name, variable, path)
	}
	if err != nil {
		return nil, fmt.Errorf("secret %q: %w", name, err)
	}
	return parse(text, path)
}

// readPrivate refuses a file that others than its owner may use. The rights are
// those of the file that was opened, not of one put in its place meanwhile.
func readPrivate(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s may be read or changed by others (mode %04o): run: chmod 600 %s", path, mode, path)
	}
	if !info.Mode().IsRegular() || info.Size() > 1<<20 {
		return nil, fmt.Errorf("%s is not a file of at most 1 MiB", path)
	}
	text := make([]byte, info.Size())
	n, err := f.ReadAt(text, 0)
	if n == len(text) {
		err = nil
	}
	return text, err
}

func parse(text []byte, where string) (map[string]string, error) {
	var values map[string]string
	if json.Unmarshal(text, &values) != nil || values == nil {
		// The decoder's own words may quote what it read.
		return nil, fmt.Errorf(`%s does not hold a JSON object of strings: write it as {"key": "value", ...}`, where)
	}
	return values, nil
}
