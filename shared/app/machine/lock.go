package machine

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ErrInUse is returned by New and NewSandbox when another process works in the
// folder. Its message names the process.
var ErrInUse = errors.New("the data folder is in use")

// The lock files of a folder: of its Machine and of its Sandbox.
const (
	machineLock = "penstock.lock"
	sandboxLock = "sandbox.lock"
)

// HeaderHolder is the header of every answer of a gateway and of a simulator: which Machine
// or Sandbox it is of, by the id that Holder and SandboxHolder tell. An address says
// nothing of that: once its server has ended, any other one may listen there.
const HeaderHolder = "Penstock-Holder"

// named says in every answer of a handler which id it is of.
func named(id string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(HeaderHolder, id)
		next.ServeHTTP(w, r)
	})
}

// lock takes a folder's lock file for what has this id in this process. The system gives
// it up when the process ends, however it ends.
func lock(dir, name, id string) (*os.File, error) {
	path := filepath.Join(dir, name)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock file: %w", err)
	}
	free, err := tryLock(f)
	for range 20 { // a process that was just killed still lets go of its files
		if free || err != nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
		free, err = tryLock(f)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	if !free {
		text, _ := os.ReadFile(path) // whoever it is
		owner, _, _ := strings.Cut(string(text), "\n")
		return nil, errors.Join(fmt.Errorf("%w: %s, by process %s", ErrInUse, dir, owner), f.Close())
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = fmt.Fprintf(f, "%d\n%s\n", os.Getpid(), id)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("write the lock file: %w", err), f.Close())
	}
	return f, nil
}

// InUse reports whether another process works in the folder now.
func InUse(dir string) bool {
	_, used := holder(dir, machineLock)
	return used
}

// Holder is the id of the Machine that works in the folder now, in any process; "" without
// one.
func Holder(dir string) string {
	id, _ := holder(dir, machineLock)
	return id
}

// SandboxHolder is the id of the Sandbox that keeps its records in the folder now, in any
// process; "" without one.
func SandboxHolder(dir string) string {
	id, _ := holder(dir, sandboxLock)
	return id
}

// holder reads who has a lock file, where somebody has it.
func holder(dir, name string) (id string, used bool) {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR, 0o600)
	if err != nil {
		return "", false // nobody ever did, or New says what is wrong
	}
	defer f.Close() // and with it the lock, where it was free
	if free, err := tryLock(f); err != nil || free {
		return "", false
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return "", true
	}
	_, id, _ = strings.Cut(string(text), "\n")
	return strings.TrimSpace(id), true
}
