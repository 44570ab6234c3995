// Package secretfile reads connections' secrets on one machine: from the
// environment, or from a file that only its owner may read. A secret is a JSON
// object of strings. On AWS, shared/aws/secrets does this.
package secretfile

import (
	"bytes"
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

// ErrAbsent is what errors.Is finds where there is no such secret, as opposed to one
// that cannot be used.
var ErrAbsent = errors.New("the secret is absent")

type absent struct{ error }

func (absent) Is(target error) bool { return target == ErrAbsent }

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
		return parse(name, []byte(text), "the environment variable "+variable)
	}
	if r.Dir == "" {
		return nil, absent{Unusable(name, "the environment", "is absent", "set "+variable+" to "+Shape)}
	}
	if name != filepath.Base(name) || strings.HasPrefix(name, ".") {
		return nil, fmt.Errorf("secret %q cannot be a file's name: choose a name without slashes and leading dots, or set %s", name, variable)
	}
	path := filepath.Join(r.Dir, name+".json")
	text, err := readPrivate(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, absent{Unusable(name, "the environment and "+r.Dir, "is absent", fmt.Sprintf("set %s, or write %s with mode 0600; either is %s", variable, path, Shape))}
	}
	if err != nil {
		return nil, fmt.Errorf("secret %q: %w", name, err)
	}
	return parse(name, text, path)
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

// Values reads a secret's text, or says what is wrong with it: wrong is "" for a JSON
// object of strings with at least one member. It quotes nothing of the text (I6).
func Values(text []byte) (values map[string]string, wrong string) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, "is empty"
	}
	if json.Unmarshal(text, &values) != nil || values == nil {
		return nil, "is not a JSON object of strings" // the decoder's own words may quote what it read
	}
	if len(values) == 0 {
		return nil, "is an empty JSON object"
	}
	return values, ""
}

// Unusable is the one message about a secret that cannot be used: which, where it was
// looked for, what is wrong, and what to do.
func Unusable(name, where, wrong, remedy string) error {
	return fmt.Errorf("the secret %q in %s %s: %s", name, where, wrong, remedy)
}

// Shape is what a secret looks like.
const Shape = `{"key": "value", ...}`

func parse(name string, text []byte, where string) (map[string]string, error) {
	values, wrong := Values(text)
	if wrong != "" {
		return nil, Unusable(name, where, wrong, "write it as "+Shape)
	}
	return values, nil
}
