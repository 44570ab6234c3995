package cli

import (
	"errors"
	"fmt"
)

// The exit codes. 130 and 141 are the shell's own for Ctrl-C and a closed pipe.
const (
	exitWell        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitRows        = 3
	exitInterrupted = 130
	exitPipe        = 141
)

// exitHelp is what help says of them.
const exitHelp = `Exit codes: 0 all well; 1 failed; 2 wrong usage; 3 some rows were rejected, failed or have not settled; 130 interrupted (Ctrl-C); 141 the reader of the output went away.`

// A usageError says that the command line was wrong: exit code 2.
type usageError struct{ error }

// usage makes one.
func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// A rowsError says that the command did its work, and that not every row is right
// at its destination: exit code 3.
type rowsError struct{ error }

// codeOf is the exit code of a command's error. What failed altogether is worse than
// rows that did.
func codeOf(err error) int {
	var wrong usageError
	var rows rowsError
	switch {
	case err == nil:
		return exitWell
	case errors.As(err, &wrong):
		return exitUsage
	case errors.As(err, &rows) && alone(err):
		return exitRows
	}
	return exitFailed
}

// alone reports whether nothing else is joined to an error.
func alone(err error) bool {
	joined, ok := err.(interface{ Unwrap() []error })
	return !ok || len(joined.Unwrap()) == 1 && alone(joined.Unwrap()[0])
}
