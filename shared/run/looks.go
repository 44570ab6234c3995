package run

import "regexp"

// dateForms are dates of which nothing is known but their look: the day or the month
// first, months by name, a year before a month or day of one digit, and twelve hours
// with AM or PM. Bytes do not order them; those of 2024.05.03 do.
var dateForms = regexp.MustCompile(`(?i)^\s*(?:[a-z]{3,9},? )?(?:` +
	day + `[./-]` + count + `[./-]` + year +
	`|` + count + `[./-]` + day + `[./-]` + year +
	`|` + day + `[ ./-]?` + month + `[ ./-]?,? ?` + year +
	`|` + month + `[ ./-]` + day + `[ ,./-]+` + year +
	`|` + century + `[./-](?:\d[./-]\d{1,2}|\d{2}[./-]\d)` +
	`|` + century + `[./-]?\d{2}[./-]?\d{2}(?:[t ].*)[ap]\.?m\b\.?` +
	`)(?:[t ,].*)?\s*$`)

// The parts of a date: a day, a month by number and by name, a year with and without its
// century.
const (
	day     = `(?:0?[1-9]|[12]\d|3[01])`
	count   = `(?:0?[1-9]|1[0-2])`
	month   = `(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}`
	century = `(?:19|20)\d{2}`
	year    = `(?:19|20)?\d{2}`
)

// LooksDate reports a text that is a date in a form that is not read as one, as a
// session's output format may write it: 03.05.2024, 05/03/2024 09:00 PM, 03-MAY-2024.
// Such texts do not grow with time, and no watermark can be made of them.
func (c Cursor) LooksDate() bool {
	return c.Type == TextCursor && dateForms.Match(c.text())
}
