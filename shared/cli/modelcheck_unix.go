//go:build linux || darwin

package cli

import (
	"fmt"
	"syscall"
)

// limitProcess bounds this process: memory in bytes (which macOS does not hold to),
// seconds of CPU, and no file that it could write.
func limitProcess(memory, cpu uint64) error {
	for _, l := range []struct {
		what  int
		limit uint64
	}{{syscall.RLIMIT_DATA, memory}, {syscall.RLIMIT_CPU, cpu}, {syscall.RLIMIT_FSIZE, 0}, {syscall.RLIMIT_CORE, 0}} {
		if err := syscall.Setrlimit(l.what, &syscall.Rlimit{Cur: l.limit, Max: l.limit}); err != nil {
			return fmt.Errorf("limit the check of models: %w", err)
		}
	}
	return nil
}
