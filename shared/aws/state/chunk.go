package state

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

// encodeChunk writes a chunk's result as short text, because every update of a
// batch costs a write unit per KB of the whole item: the Unix nanoseconds of At
// (0 when unset), then received, queued, rejected, blocked, superseded, delivered,
// unchanged, failed and calls, in decimal, with spaces between.
func encodeChunk(c run.Chunk) string {
	at := int64(0)
	if !c.At.IsZero() {
		at = c.At.UnixNano()
	}
	b := strconv.AppendInt(make([]byte, 0, 48), at, 10)
	for _, n := range counters(&c.Counts) {
		b = append(b, ' ')
		b = strconv.AppendInt(b, *n, 10)
	}
	return string(b)
}

// decodeChunk reads encodeChunk's text into c and marks it as done.
func decodeChunk(text string, c *run.Chunk) error {
	all := counters(&c.Counts)
	fields := strings.Fields(text)
	if len(fields) != 1+len(all) {
		return errors.New("a recorded chunk cannot be read")
	}
	at, err := strconv.ParseInt(fields[0], 10, 64)
	if err == nil && at != 0 {
		c.At = time.Unix(0, at).UTC()
	}
	for i, to := range all {
		n, bad := strconv.ParseInt(fields[i+1], 10, 64)
		*to, err = n, errors.Join(err, bad)
	}
	c.Done = true
	return err
}

func counters(c *run.Counts) []*int64 {
	return []*int64{&c.Received, &c.Queued, &c.Rejected, &c.Blocked, &c.Superseded, &c.Delivered, &c.Unchanged, &c.Failed, &c.Calls}
}
