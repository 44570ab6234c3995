package amplitude

import (
	"hash/maphash"
	"sync"
	"time"
)

// Amplitude drops a user's property updates beyond these without a word ("Batch Event
// Upload API", rate limiting).
const (
	maxUpdates = 1800
	perUpdates = time.Hour
)

// The counts are kept by spans of time in tables that are shared by users: a user's
// count is the least of its cells, so that it is never too low. With 8,192 cells a
// table it is right to some hundred while fewer than 10 million updates an hour are
// sent, and takes 450 KB.
const (
	span  = 10 * time.Minute
	spans = int(perUpdates/span) + 1 // the hour and the span that has begun
	rows  = 4
	cells = 1 << 13
)

// updates count what each user got within the last hour, and up to a span more.
type updates struct {
	seeds [rows]maphash.Seed
	mu    sync.Mutex
	last  int64 // the span that was counted last, since the epoch
	kept  [spans]*[rows][cells]uint16
}

func newUpdates() *updates {
	u := &updates{}
	for i := range u.seeds {
		u.seeds[i] = maphash.MakeSeed()
	}
	return u
}

// take counts n updates of a user, or answers how long they have to wait.
func (u *updates) take(user string, n int, now time.Time) time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	at := now.UnixNano() / int64(span)
	u.turn(at)
	var cell [rows]uint64
	count := maxUpdates
	for r := range rows {
		cell[r] = maphash.String(u.seeds[r], user) % cells
		sum := 0
		for _, table := range u.kept {
			if table != nil {
				sum += int(table[r][cell[r]])
			}
		}
		count = min(count, sum)
	}
	if count+n > maxUpdates && count > 0 {
		return time.Duration((at+1)*int64(span) - now.UnixNano()) // then a span is forgotten
	}
	table := u.kept[at%int64(spans)]
	for r := range rows {
		table[r][cell[r]] = uint16(min(int(table[r][cell[r]])+n, 1<<16-1))
	}
	return 0
}

// turn forgets the spans that are over. A clock that steps back counts on in the span
// that it was in.
func (u *updates) turn(at int64) {
	if u.kept[at%int64(spans)] == nil {
		u.kept[at%int64(spans)] = new([rows][cells]uint16)
	}
	for n := max(u.last+1, at-int64(spans)+1); n <= at; n++ {
		if table := u.kept[n%int64(spans)]; table != nil {
			*table = [rows][cells]uint16{}
		}
	}
	u.last = max(u.last, at)
}
