package ledger

import (
	"hash/fnv"
	"strconv"
	"strings"
	"time"
)

// IntentOf names one attempt to send a row: by the row's run.ErrorRef, and by the receipt
// that no other attempt has, so that each tells its own intent from another one's. It also
// says when the attempt began.
func IntentOf(ref, receipt string, at time.Time) string {
	h := fnv.New32a()
	h.Write([]byte(receipt))
	return ref + "@" + strconv.FormatUint(uint64(h.Sum32()), 16) + "." + strconv.FormatInt(at.Unix(), 16)
}

// Attempt is what the intent names: the row's run.ErrorRef, and when the attempt began; the
// zero time where it does not say.
func (l Last) Attempt() (ref string, at time.Time) {
	end := strings.LastIndexByte(l.Intent, '@')
	if end < 0 {
		return l.Intent, at
	}
	_, when, _ := strings.Cut(l.Intent[end:], ".")
	if seconds, err := strconv.ParseInt(when, 16, 64); err == nil {
		at = time.Unix(seconds, 0).UTC()
	}
	return l.Intent[:end], at
}

// Names reports whether an error is the open one of the key. Where a worker that stalled has
// found since that the row may have arrived, only an error that says so, doubt, is.
func (l Last) Names(ref string, doubt bool) bool { return l.Error == ref && (!l.Unknown || doubt) }

// Intended reports whether the intent is of an attempt to send the row of ref.
func (l Last) Intended(ref string) bool { return strings.HasPrefix(l.Intent, ref+"@") }
