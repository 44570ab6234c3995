package pace

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"
)

// A Level is what was spent of one window and has not come back. It is kept by the
// window's length, so that versions with other windows or shares count the same calls;
// and it is what was spent, not what is left, so that a share that is raised is there at
// once, and granted once, whichever worker still asks for the old one.
type Level struct {
	Per   time.Duration `json:"per"`   // nanoseconds
	Calls int64         `json:"calls"` // of the window that granted last: as fast as its calls do, Spent comes back
	Spent float64       `json:"spent"` // tokens; more than any burst where versions without this window spent them
}

// UnmarshalJSON reads a level, also one of the format before this one, which had what is
// left of its window in the place of what was spent.
func (l *Level) UnmarshalJSON(b []byte) error {
	type plain Level
	stored := struct {
		*plain
		Left *float64 `json:"left"`
	}{plain: (*plain)(l)}
	if err := json.Unmarshal(b, &stored); err != nil {
		return err
	}
	if stored.Left != nil {
		l.Spent = max(burst(l.window())-*stored.Left, 0)
	}
	return nil
}

// level is what was spent of a window, of which nothing need be known.
func (b Bucket) level(w Window) Level {
	for _, l := range b.Levels {
		if l.Per == w.Per {
			return l
		}
	}
	return Level{Per: w.Per, Calls: w.Calls}
}

// put stores a level in its place.
func (b *Bucket) put(l Level) {
	i, found := slices.BinarySearchFunc(b.Levels, l.Per, func(l Level, per time.Duration) int { return cmp.Compare(l.Per, per) })
	if !found {
		b.Levels = slices.Insert(b.Levels, i, l)
	}
	b.Levels[i] = l
}

func (l Level) window() Window { return Window{l.Calls, l.Per} }

// counted is what counts as spent of a window at a rate: what a slower rate withholds
// does, so that it is granted only as the rate recovers.
func (w Window) counted(spent, rate float64) float64 {
	return max(spent, burst(w)-most(w, rate))
}
