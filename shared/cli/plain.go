package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/app/remote"
	"github.com/penstock-data/penstock/shared/sqlite"
)

// plain is an error's text for people: what a function of ours answered, without
// the driver's words around it, and what to do where that is known.
func plain(err error) string {
	if denied := remote.Denied(err); denied != "" {
		return denied
	}
	text := err.Error()
	if _, answer, ok := strings.Cut(text, "database/sql/driver: API error: "); ok {
		text = answer
	}
	if remedy := remedy(err); remedy != "" {
		return oneLine(text) + ": " + remedy
	}
	return strings.TrimRight(text, "\n")
}

// remedy is what to do about a failure of this machine; "" where nothing is known.
func remedy(err error) string {
	text := err.Error()
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "another penstock may be running there; stop it, or give another address"
	case errors.Is(err, machine.ErrInUse):
		return "another penstock works there; stop it, or give another --data"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, sqlite.ErrFull), strings.Contains(text, "No space left on device"):
		return "free some space on it and run the command again; what is stored is whole"
	case errors.Is(err, sqlite.ErrForeign):
		return "move the file away, or name another folder with --data"
	case errors.Is(err, sqlite.ErrDamaged):
		return "put a copy of the folder back, or move the file away and run penstock apply: then all rows are selected once more"
	case errors.Is(err, sqlite.ErrReadOnly), errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), strings.Contains(text, "Read-only file system"), strings.Contains(text, "Permission denied"):
		return "give yourself the right to read and write there (chmod -R u+rwX), or name another folder"
	}
	return ""
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// keepPrivate takes the rights of others on a folder's files away, which an earlier
// version or a copy may have left: they hold row values.
func keepPrivate(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o077 == 0 {
			continue
		}
		if err := os.Chmod(filepath.Join(dir, e.Name()), info.Mode().Perm()&0o700); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
