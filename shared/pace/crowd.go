package pace

// A Crowd is how many calls of a connection one process may have under way at once: as few
// as the vendor's refusals of too many have taught. The zero value sets no bound.
type Crowd struct {
	Most     int // calls at once; 0 is any number
	Halvings int // of Most so far: what a call began with tells whether it knew of the last
	answered int // calls since Most last changed
}

// moreAfter is how many answered calls let one more be under way.
const moreAfter = 10

// Refused is the crowd after the vendor refused a call as one too many of those that are
// under way, itself among them: half as many from now on, down to one. knew is Halvings as
// the call began; one that began before the last halving says nothing of it.
func (c Crowd) Refused(underWay, knew int) Crowd {
	if knew != c.Halvings {
		return c
	}
	return Crowd{Most: max(1, underWay/2), Halvings: c.Halvings + 1}
}

// Answered is the crowd after a call that was answered: after ten, one more may be under
// way. Of limit calls, which is the vendor's own bound, it is none any more; 0 is no limit.
func (c Crowd) Answered(limit int) Crowd {
	if c.Most == 0 {
		return c
	}
	if c.answered++; c.answered < moreAfter {
		return c
	}
	c.Most, c.answered = c.Most+1, 0
	if limit > 0 && c.Most >= limit {
		c.Most = 0
	}
	return c
}
