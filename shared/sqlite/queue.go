package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/run"
)

// SQS FIFO's own rules, which the queue here keeps too.
const (
	maxBody     = 1 << 20         // bytes of a message
	dedupFor    = 5 * time.Minute // a deduplication id is remembered
	maxReceive  = 10              // messages a call
	maxVisible  = 12 * time.Hour
	retention   = 14 * 24 * time.Hour // then a message is gone, received or not
	deadLetters = "-dlq"              // the suffix of a queue's dead letters
)

// Send implements envelope.Sender, in one transaction.
func (s *Store) Send(ctx context.Context, queue string, msgs []envelope.Message) ([]bool, error) {
	accepted := make([]bool, len(msgs))
	if len(msgs) == 0 {
		return accepted, nil
	}
	var refused error
	err := s.write(ctx, func(c *conn) error {
		now := s.now().UnixNano()
		// An id that is remembered for longer than any is of a clock that stood wrong.
		if _, err := c.exec("DELETE FROM dedup WHERE until <= ?1 OR until > ?2", now, now+int64(dedupFor)); err != nil {
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
func (c *conn) enqueue(queue string, m envelope.Message, now int64) error {
	n, err := c.exec("INSERT INTO dedup (queue, id, until) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING", queue, m.Dedup, now+int64(dedupFor))
	if err != nil || n == 0 {
		return err
	}
	if _, err := c.exec("INSERT INTO message (queue, grp, sent) VALUES (?1, ?2, ?3)", queue, m.Group, now); err != nil {
		return err
	}
	_, err = c.exec("INSERT INTO body (seq, body) VALUES (last_insert_rowid(), ?1)", m.Body)
	return err
}

// Depth is the number of messages in the queue; those in flight count.
func (s *Store) Depth(ctx context.Context, queue string) (n int, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.query(func(q *stmt) error { n = int(q.int(0)); return nil },
			"SELECT count(*) FROM message WHERE queue = ?1 AND sent > ?2", queue, s.now().Add(-retention).UnixNano())
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
// goes to the dead letters instead, and one that is 14 days old is gone.
func (s *Store) Receive(ctx context.Context, queue string, max int, visibility time.Duration) ([]envelope.Delivery, error) {
	if ready, err := s.ready(ctx, queue); err != nil || !ready {
		return nil, err
	}
	var got []envelope.Delivery
	err := s.write(ctx, func(c *conn) error {
		now := s.now()
		if err := c.expire(now); err != nil {
			return err
		}
		if err := s.bury(c, queue, now); err != nil {
			return err
		}
		var err error
		if got, err = c.next(queue, now, min(max, maxReceive)); err != nil {
			return err
		}
		for i := range got {
			if err := c.take(&got[i], now.Add(visibility)); err != nil {
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

// hidden is a condition of the message's own: nobody may see it at ?2. One that is
// hidden for longer than any can be was hidden by a clock that stood wrong.
const hidden = "(visible > ?2 AND visible <= ?3)"

// ready reports whether any message is visible, so that pollers of an idle queue
// do not take the write lock.
func (s *Store) ready(ctx context.Context, queue string) (ready bool, err error) {
	err = s.read(ctx, func(c *conn) error {
		now := s.now()
		return c.query(func(*stmt) error { ready = true; return nil },
			"SELECT 1 FROM message WHERE queue = ?1 AND NOT "+hidden+" LIMIT 1", queue, now.UnixNano(), now.Add(maxVisible).UnixNano())
	})
	if err != nil {
		return false, fmt.Errorf("receive from queue %s: %w", queue, err)
	}
	return ready, nil
}

// next are the messages to hand out, without their bodies.
func (c *conn) next(queue string, now time.Time, most int) (got []envelope.Delivery, err error) {
	err = c.query(func(q *stmt) error {
		got = append(got, envelope.Delivery{
			ID: strconv.FormatInt(q.int(0), 10), Group: q.text(1), SentAt: time.Unix(0, q.int(2)).UTC(), Receives: int(q.int(3)) + 1,
		})
		return nil
	}, `SELECT seq, grp, sent, receives FROM (
			SELECT * FROM message WHERE queue = ?1 AND grp NOT IN (SELECT grp FROM message WHERE queue = ?1 AND `+hidden+`) ORDER BY seq LIMIT ?5)
		ORDER BY min(seq) OVER (PARTITION BY grp), seq LIMIT ?4`,
		queue, now.UnixNano(), now.Add(maxVisible).UnixNano(), most, lookahead)
	return got, err
}

// take hides a message and reads its body.
func (c *conn) take(d *envelope.Delivery, until time.Time) error {
	d.Receipt = d.ID + "." + strconv.Itoa(d.Receives)
	seq, _ := strconv.ParseInt(d.ID, 10, 64)
	if _, err := c.exec("UPDATE message SET visible = ?1, receives = ?2 WHERE seq = ?3", until.UnixNano(), d.Receives, seq); err != nil {
		return err
	}
	return c.query(func(q *stmt) error { d.Body = q.bytes(0); return nil }, "SELECT body FROM body WHERE seq = ?1", seq)
}

// expire deletes what is past its retention, in flight or not, as SQS does.
func (c *conn) expire(now time.Time) error {
	until := now.Add(-retention).UnixNano()
	if _, err := c.exec("DELETE FROM body WHERE seq IN (SELECT seq FROM message WHERE sent <= ?1)", until); err != nil {
		return err
	}
	_, err := c.exec("DELETE FROM message WHERE sent <= ?1", until)
	return err
}

// bury moves messages that were handed out too often to the dead letters, where
// their age begins anew, as in a FIFO queue of SQS.
func (s *Store) bury(c *conn, queue string, now time.Time) error {
	limit := s.MaxReceives
	if limit <= 0 {
		limit = 1000
	}
	if strings.HasSuffix(queue, deadLetters) {
		return nil
	}
	_, err := c.exec("UPDATE message SET queue = ?1, receives = 0, visible = 0, sent = ?2 WHERE queue = ?4 AND receives >= ?5 AND NOT "+hidden,
		queue+deadLetters, now.UnixNano(), now.Add(maxVisible).UnixNano(), queue, limit)
	return err
}

// Delete removes messages that were received. One that is gone, or was handed out
// again since, is left as it is, without an error, as SQS does.
func (s *Store) Delete(ctx context.Context, queue string, receipts ...string) error {
	err := s.write(ctx, func(c *conn) error {
		for _, receipt := range receipts {
			seq, receives, err := parseReceipt(receipt)
			if err != nil {
				return err
			}
			n, err := c.exec("DELETE FROM message WHERE seq = ?1 AND queue = ?2 AND receives = ?3", seq, queue, receives)
			if err == nil && n > 0 {
				_, err = c.exec("DELETE FROM body WHERE seq = ?1", seq)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("delete from queue %s: %w", queue, err)
	}
	return nil
}

// Hide implements envelope.Visibility. Hiding a message that is gone is an error.
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
				err = run.ErrNotFound
			}
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("hide a message of queue %s: %w", queue, err)
	}
	return nil
}

// Release makes every message visible now, and lets failing connections be tried at
// once: who restarts has often just mended one. Tokens stay spent (I7). Only a
// process that knows itself alone with the file may call it: at its start, for what a
// killed one had in hand.
func (s *Store) Release(ctx context.Context) error {
	err := s.write(ctx, func(c *conn) error {
		if _, err := c.exec("UPDATE message SET visible = 0 WHERE visible > 0"); err != nil {
			return err
		}
		_, err := c.exec(`UPDATE pace SET revision = revision + 1,
			body = json_set(json_remove(body, '$.until', '$.probe'), '$.revision', revision + 1)`)
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
