package pace

import "testing"

// Calls that were under way together halve once; the next ones, which knew, halve again.
func TestCrowdIsHalved(t *testing.T) {
	c := Crowd{}
	for n, want := range []int{8, 4, 2, 1, 1} {
		underWay := max(c.Most, 1)
		if n == 0 {
			underWay = 16
		}
		knew := c.Halvings
		for ; underWay > 0; underWay-- {
			c = c.Refused(underWay, knew)
		}
		if c.Most != want {
			t.Fatalf("%d times refused leaves %d at once, want %d", n, c.Most, want)
		}
	}
}

// It grows back one at a time, up to the vendor's own bound.
func TestCrowdGrows(t *testing.T) {
	c := Crowd{}.Refused(4, 0)
	for want := 2; want < 5; want++ {
		for n := range moreAfter {
			if c.Most != want {
				t.Fatalf("after %d answers %d at once, want %d", n, c.Most, want)
			}
			c = c.Answered(5)
		}
	}
	if c.Most != 0 {
		t.Errorf("%d at once, want any number", c.Most)
	}
	if c = c.Answered(5); c.Most != 0 {
		t.Errorf("without a bound %d at once", c.Most)
	}
	grown := Crowd{Most: 1}
	for range 9 * moreAfter {
		grown = grown.Answered(0)
	}
	if grown.Most != 10 {
		t.Errorf("without a limit %d at once, want 10", grown.Most)
	}
	again := Crowd{Most: 2, answered: moreAfter - 1}.Refused(2, 0).Answered(0)
	if again.Most != 1 {
		t.Errorf("answers of before a halving count after it: %+v", again)
	}
}
