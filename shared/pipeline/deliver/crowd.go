package deliver

import (
	"context"
	"slices"
	"sync"

	"github.com/penstock-data/penstock/shared/pace"
)

// A crowd is the calls of a connection that this process has under way: at most as many
// at once as its account allows, and fewer where the vendor refused too many.
type crowd struct {
	limit int // of the account; 0: none

	mu       sync.Mutex
	bound    pace.Crowd
	underWay int
	waiting  []*seat // in their order
}

// A seat is a call's place among those that are under way.
type seat struct {
	crowd *crowd
	knew  int           // halvings as it was given
	given chan struct{} // closed when it is
}

// enter waits for a seat; false when the time is over.
func (c *crowd) enter(ctx context.Context) (*seat, bool) {
	if ctx.Err() != nil {
		return nil, false
	}
	s := &seat{crowd: c, given: make(chan struct{})}
	c.mu.Lock()
	c.waiting = append(c.waiting, s)
	c.admit()
	c.mu.Unlock()
	select {
	case <-s.given:
		return s, true
	case <-ctx.Done():
	}
	c.mu.Lock()
	n := slices.Index(c.waiting, s)
	if n >= 0 {
		c.waiting = slices.Delete(c.waiting, n, n+1)
	}
	c.mu.Unlock()
	if n < 0 { // it was given meanwhile
		s.leave()
	}
	return nil, false
}

// admit gives the seats that are free; c.mu is held.
func (c *crowd) admit() {
	for len(c.waiting) > 0 && (c.limit == 0 || c.underWay < c.limit) && (c.bound.Most == 0 || c.underWay < c.bound.Most) {
		s := c.waiting[0]
		c.waiting = c.waiting[1:]
		c.underWay++
		s.knew = c.bound.Halvings
		close(s.given)
	}
}

func (s *seat) leave() {
	c := s.crowd
	c.mu.Lock()
	defer c.mu.Unlock()
	c.underWay--
	c.admit()
}

// refused notes that the vendor refused the call as one too many at once.
func (s *seat) refused() {
	c := s.crowd
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bound = c.bound.Refused(c.underWay, s.knew)
}

// answered notes that the vendor took the call.
func (s *seat) answered() {
	c := s.crowd
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bound = c.bound.Answered(c.limit)
	c.admit()
}
