package run

import (
	"fmt"
	"strconv"
	"strings"
)

// ErrorRef names a stored error: run#batch#row, so that storing it twice is
// storing it once (I2).
func ErrorRef(run, batch string, row int) string {
	return run + "#" + batch + "#" + strconv.Itoa(row)
}

// ParseRef takes an ErrorRef apart.
func ParseRef(ref string) (run, batch string, row int, err error) {
	parts := strings.Split(ref, "#")
	if len(parts) != 3 {
		return "", "", 0, fmt.Errorf("%q names no stored error: it is run#batch#row", ref)
	}
	row, err = strconv.Atoi(parts[2])
	if err != nil {
		return "", "", 0, fmt.Errorf("%q names no stored error: %w", ref, err)
	}
	return parts[0], parts[1], row, nil
}

// RetryID is the run that carries the due rows of a run's attempt.
func RetryID(original string, attempt int) string { return original + "~" + strconv.Itoa(attempt) }

// AskedID is the run that carries the rows that a person asked to send again; token
// is that of the call.
func AskedID(original, token string) string { return original + "~a" + hash16(token) }

// AskedBatch is a batch of such a call: of rows behind after, where the call began, or
// where its batch before ended.
func AskedBatch(original, token, after string) string { return hash16("asked", original, token, after) }

// OriginalOf is the run whose rows a retry's run sends again, or the id itself.
func OriginalOf(id string) string {
	original, _, _ := strings.Cut(id, "~")
	return original
}

// IsRetry reports whether id is the run of a retry.
func IsRetry(id string) bool { return strings.Contains(id, "~") }

// IsDue reports whether id is the run of rows that came back by themselves.
func IsDue(id string) bool {
	_, retry, found := strings.Cut(id, "~")
	return found && !strings.HasPrefix(retry, "a")
}

func itoa(n int) string { return strconv.Itoa(n) }

// UnreadableSync stands for the sync in errors of messages that nobody can read.
const UnreadableSync = "unreadable"
