package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/pipeline"
)

// SQS FIFO's own rules, which the queue here keeps too.
const (
	maxBody     = 1 << 20         // bytes of a message
	dedupFor    = 5 * time.Minute // a deduplication id is remembered
	maxReceive  = 10              // messages a call
	maxVisible  = 12 * time.Hour
	deadLetters = "-dlq" // the suffix of a queue's dead letters
)

// Send implements pipeline.Sender, in one transaction.
func (s *Store) Send(ctx context.Context, queue string, msgs []pipeline.Message) ([]bool, error) {
	accepted := make([]bool, len(msgs))
	if len(msgs) == 0 {
		return accepted, nil
	}
	var refused error
	err := s.write(ctx, func(c *conn) error {
		now := s.now().UnixNano()
		if _, err := c.exec("DELETE FROM dedup WHERE until <= ?1", now); err != nil {
			return err
		}
		failed := map[string]bool{}
		for i, m := range msgs {
			if failed[m.Group] {
				continue
			}
			if len(m.Body) == 0 || len(m.Body) > maxBody {
				failed[m.Group] = true
				refused = errors.Join(refused, fmt.Errorf("message %s has %d bytes: 1 to %d are allowed", m.Dedup, len(m.Body), maxBody))
				continue
			}
			if err := c.enqueue(queue, m, now); err != nil {
				return err
			}
			accepted[i] = true
		}
		return nil
	})
	if err != nil {
		clear(accepted)
		return accepted, fmt.Errorf("send %d messages to queue %s: %w", len(msgs), queue, err)
	}
	if refused != nil {
		return accepted, fmt.Errorf("send %d messages to queue %s: %w", len(msgs), queue, refused)
	}
	return accepted, nil
}

// enqueue stores a message unless its id was sent within the last 5 minutes.
func (c *conn) enqueue(queue string, m pipeline.Message, now int64) error {
	n, err := c.exec("INSERT INTO dedup (queue, id, until) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING", queue, m.Dedup, now+int64(dedupFor))
	if err != nil || n == 0 {
		return err
	}
	if _, err := c.exec("INSERT INTO message (queue, grp, sent, visible) VALUES (?1, ?2, ?3, ?3)", queue, m.Group, now); err != nil {
		return err
	}
	_, err = c.exec("INSERT INTO body (seq, body) VALUES (last_insert_rowid(), ?1)", m.Body)
	return err
}

// Depth implements pipeline.Sender; messages in flight count.
func (s *Store) Depth(ctx context.Context, queue string) (n int, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.query(func(q *stmt) error { n = int(q.int(0)); return nil }, "SELECT count(*) FROM message WHERE queue = ?1", queue)
	})
	if err != nil {
		return 0, fmt.Errorf("depth of queue %s: %w", queue, err)
	}
	return n, nil
}

// lookahead is how many of the oldest messages Receive chooses from.
const lookahead = 400

// Receive hands out up to max (at most 10) messages and hides them for visibility:
// as many as there are of the group with the oldest message, then of the next, as
// SQS does, so that other pollers find the other groups free. While a message of a
// group is hidden, no other of that group is handed out. It returns at once, with
// nothing when there is nothing. A message that was handed out MaxReceives times
// goes to the dead letters instead.
func (s *Store) Receive(ctx context.Context, queue string, max int, visibility time.Duration) ([]pipeline.Delivery, error) {
	if ready, err := s.ready(ctx, queue); err != nil || !ready {
		return nil, err
	}
	var got []pipeline.Delivery
	err := s.write(ctx, func(c *conn) error {
		now := s.now().UnixNano()
		if err := s.bury(c, queue, now); err != nil {
			return err
		}
		if err := c.query(func(q *stmt) error {
			got = append(got, pipeline.Delivery{
				ID: strconv.FormatInt(q.int(0), 10), Group: q.text(1), SentAt: time.Unix(0, q.int(2)).UTC(), Receives: int(q.int(3)) + 1,
			})
			return nil
		}, `SELECT seq, grp, sent, receives FROM (
				SELECT * FROM message WHERE queue = ?1 AND grp NOT IN (SELECT grp FROM message WHERE queue = ?1 AND visible > ?2) ORDER BY seq LIMIT ?4)
			ORDER BY min(seq) OVER (PARTITION BY grp), seq LIMIT ?3`,
			queue, now, min(max, maxReceive), lookahead); err != nil {
			return err
		}
		for i := range got {
			d := &got[i]
			d.Receipt = d.ID + "." + strconv.Itoa(d.Receives)
			seq, _ := strconv.ParseInt(d.ID, 10, 64)
			if _, err := c.exec("UPDATE message SET visible = ?1, receives = ?2 WHERE seq = ?3", now+int64(visibility), d.Receives, seq); err != nil {
				return err
			}
			if err := c.query(func(q *stmt) error { d.Body = q.bytes(0); return nil }, "SELECT body FROM body WHERE seq = ?1", seq); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("receive from queue %s: %w", queue, err)
	}
	return got, nil
}

// ready reports whether any message is visible, so that pollers of an idle queue
// do not take the write lock.
func (s *Store) ready(ctx context.Context, queue string) (ready bool, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.query(func(*stmt) error { ready = true; return nil },
			"SELECT 1 FROM message WHERE queue = ?1 AND visible <= ?2 LIMIT 1", queue, s.now().UnixNano())
	})
	if err != nil {
		return false, fmt.Errorf("receive from queue %s: %w", queue, err)
	}
	return ready, nil
}

// bury moves messages that were handed out too often to the dead letters.
func (s *Store) bury(c *conn, queue string, now int64) error {
	limit := s.MaxReceives
	if limit <= 0 {
		limit = 1000
	}
	if strings.HasSuffix(queue, deadLetters) {
		return nil
	}
	_, err := c.exec("UPDATE message SET queue = ?1, receives = 0 WHERE queue = ?2 AND visible <= ?3 AND receives >= ?4",
		queue+deadLetters, queue, now, limit)
	return err
}

// Delete removes a message that was received. One that is gone, or was handed
// out again since, is left as it is, without an error, as SQS does.
func (s *Store) Delete(ctx context.Context, queue, receipt string) error {
	seq, receives, err := parseReceipt(receipt)
	if err == nil {
		err = s.write(ctx, func(c *conn) error {
			n, err := c.exec("DELETE FROM message WHERE seq = ?1 AND queue = ?2 AND receives = ?3", seq, queue, receives)
			if err != nil || n == 0 {
				return err
			}
			_, err = c.exec("DELETE FROM body WHERE seq = ?1", seq)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("delete from queue %s: %w", queue, err)
	}
	return nil
}

// Hide implements pipeline.Visibility. Hiding a message that is gone is an error.
func (s *Store) Hide(ctx context.Context, queue, receipt string, d time.Duration) error {
	seq, receives, err := parseReceipt(receipt)
	if err == nil && (d < 0 || d > maxVisible) {
		err = fmt.Errorf("cannot hide a message for %s: 0 to %s are allowed", d, maxVisible)
	}
	if err == nil {
		err = s.write(ctx, func(c *conn) error {
			n, err := c.exec("UPDATE message SET visible = ?1 WHERE seq = ?2 AND queue = ?3 AND receives = ?4",
				s.now().Add(d).UnixNano(), seq, queue, receives)
			if err == nil && n == 0 {
				err = pipeline.ErrNotFound
			}
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("hide a message of queue %s: %w", queue, err)
	}
	return nil
}

// Release makes every message visible now, and lifts the connections' pauses: who
// restarts has often just mended one. Tokens stay spent (I7). Only a process that
// knows itself alone with the file may call it: at its start, for what a killed one
// had in hand.
func (s *Store) Release(ctx context.Context) error {
	err := s.write(ctx, func(c *conn) error {
		now := s.now().UnixNano()
		if _, err := c.exec("UPDATE message SET visible = ?1 WHERE visible > ?1", now); err != nil {
			return err
		}
		_, err := c.exec("UPDATE bucket SET body = json_remove(body, '$.pause')")
		return err
	})
	if err != nil {
		return fmt.Errorf("release the messages and pauses: %w", err)
	}
	return nil
}

func parseReceipt(receipt string) (seq int64, receives int, err error) {
	a, b, _ := strings.Cut(receipt, ".")
	seq, err1 := strconv.ParseInt(a, 10, 64)
	receives, err2 := strconv.Atoi(b)
	if err1 != nil || err2 != nil {
		return 0, 0, fmt.Errorf("%q is not a receipt of this queue", receipt)
	}
	return seq, receives, nil
}
