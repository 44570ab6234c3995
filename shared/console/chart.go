package console

import (
	"fmt"
	"math"
	"strconv"

	"github.com/penstock-data/penstock/shared/app/view"
)

// A chart is a bar a run, the oldest first: what is right at the destination, and on top
// of it what is not. Lengths are in the units of its view box.
type chart struct {
	Width, Height float64
	Bars          []bar
	Says          string // the chart in words
	Top           int64  // rows at its upper edge
}

// A bar is one run.
type bar struct {
	X, Width     float64
	RightY, High float64 // of the part that is right
	LostY, Lost  float64 // of the part that is not
	Line         *view.Line
}

// bars draws runs; most is how many there is room for.
func bars(lines []view.Line, most int, width, height, gap float64) chart {
	if len(lines) > most {
		lines = lines[len(lines)-most:]
	}
	out := chart{Width: width, Height: height, Says: says(lines)}
	for _, l := range lines {
		out.Top = max(out.Top, l.Counts.Received)
	}
	step := width / float64(most)
	for i := range lines {
		l := &lines[i]
		b := bar{X: round(float64(most-len(lines)+i) * step), Width: round(step - gap), RightY: height, LostY: height, Line: l}
		if out.Top > 0 {
			b.High = round(height * float64(l.Right) / float64(out.Top))
			b.Lost = round(height * float64(max(0, l.Counts.Received-l.Right)) / float64(out.Top))
		}
		if l.Right > 0 {
			b.High = max(b.High, 1)
		}
		if l.Counts.Received > l.Right { // one row of a million is still seen
			b.Lost = max(b.Lost, 2)
		}
		if over := b.High + b.Lost - height; over > 0 {
			b.High -= over
		}
		if b.High == 0 && b.Lost == 0 { // a run without rows
			b.High = 1
		}
		b.RightY = round(height - b.High)
		b.LostY = round(b.RightY - b.Lost)
		out.Bars = append(out.Bars, b)
	}
	return out
}

// RightPath is what is right of all bars as one path: a chart among many others needs no
// element a bar.
func (c chart) RightPath() string {
	var d []byte
	for _, b := range c.Bars {
		d = box(d, b.X, b.RightY, b.Width, b.High)
	}
	return string(d)
}

// LostPath is what is not right of all bars as one path.
func (c chart) LostPath() string {
	var d []byte
	for _, b := range c.Bars {
		if b.Lost > 0 {
			d = box(d, b.X, b.LostY, b.Width, b.Lost)
		}
	}
	return string(d)
}

// box adds a rectangle to a path.
func box(d []byte, x, y, width, height float64) []byte {
	add := func(command byte, n float64) { d = strconv.AppendFloat(append(d, command), n, 'f', -1, 64) }
	add('M', x)
	add(' ', y)
	add('h', width)
	add('v', height)
	add('h', -width)
	return append(d, 'z')
}

func round(x float64) float64 { return math.Round(x*100) / 100 }

// says is a chart in words.
func says(lines []view.Line) string {
	if len(lines) == 0 {
		return "no run has ended yet"
	}
	wrong := 0
	for _, l := range lines {
		if l.Right < l.Counts.Received {
			wrong++
		}
	}
	last := lines[len(lines)-1]
	return fmt.Sprintf("%s, %d of them with rows that are not right; the last one: %s of %s right", plural(len(lines), "run"), wrong, num(last.Right), plural(last.Counts.Received, "row"))
}
