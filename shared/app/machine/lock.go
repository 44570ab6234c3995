package machine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ErrInUse is returned by New and NewSandbox when another process works in the
// folder. Its message names the process.
var ErrInUse = errors.New("the data folder is in use")

// lock takes a folder's lock file for this process. The system gives it up when
// the process ends, however it ends.
func lock(dir, name string) (*os.File, error) {
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
		owner, _ := os.ReadFile(path) // whoever it is
		return nil, errors.Join(fmt.Errorf("%w: %s, by process %s", ErrInUse, dir, strings.TrimSpace(string(owner))), f.Close())
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = fmt.Fprintf(f, "%d\n", os.Getpid())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("write the lock file: %w", err), f.Close())
	}
	return f, nil
}

// InUse reports whether another process works in the folder now.
func InUse(dir string) bool {
	f, err := os.OpenFile(filepath.Join(dir, "penstock.lock"), os.O_RDWR, 0o600)
	if err != nil {
		return false // nobody ever did, or New says what is wrong
	}
	defer f.Close() // and with it the lock, where it was free
	free, err := tryLock(f)
	return err == nil && !free
}
