package console

import (
	"html/template"
	"strconv"
	"time"
)

// Small parts that stand many times on a page are written here: as templates they took most
// of a large page's time. Whatever may come from elsewhere is escaped.

// moment is how long ago something was, and when on demand.
func (c *Console) moment(t time.Time) template.HTML {
	if t.IsZero() {
		return "–"
	}
	return timed(t, c.at(t), ago(c.cfg.Now(), t))
}

// clock is when something was, and how long ago on demand.
func (c *Console) clock(t time.Time) template.HTML {
	if t.IsZero() {
		return "–"
	}
	return timed(t, ago(c.cfg.Now(), t), c.at(t))
}

// coming is how long it is until something, and when on demand.
func (c *Console) coming(t time.Time) template.HTML {
	return timed(t, c.at(t), until(c.cfg.Now(), t))
}

// timed is a time element; its texts are words of this package.
func timed(t time.Time, title, text string) template.HTML {
	return template.HTML(`<time datetime="` + t.UTC().Format(time.RFC3339) + `" title="` + title + `">` + text + `</time>`)
}

// badge is how a word of the state is shown.
func badge(word any) template.HTML {
	t := toneOf(word)
	return template.HTML(`<span class="badge ` + t.Class + `"><span class="sign" aria-hidden="true">` + t.Sign + `</span>` + template.HTMLEscapeString(t.Text) + `</span>`)
}

// progress is a bar of what is done of a total, also where that is not known.
func progress(total, done int64, label string) template.HTML {
	return template.HTML(`<progress max="` + strconv.FormatInt(max(total, done, 1), 10) + `" value="` + strconv.FormatInt(done, 10) + `" aria-label="` + template.HTMLEscapeString(label) + `"></progress>`)
}
