//go:build unix

package cli

import "golang.org/x/sys/unix"

// ownerOnly makes whatever this process creates readable by its owner alone: state
// holds row values, and DuckDB and SQLite make files of their own beside it.
func ownerOnly() { unix.Umask(0o077) }
