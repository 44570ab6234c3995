package slack

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
)

// cutMark stands at the end of a text that was cut.
const cutMark = "…"

// whole are the parts of a text as it is sent that lose their meaning when they are
// cut: links and mentions in markup, entities, addresses that Slack makes links of,
// and emoji by their names.
var whole = regexp.MustCompile(`<[^<>\s][^<>\n]*>|&(?:amp|lt|gt);|(?i:\bhttps?://|\bmailto:)[^\s<>|]+|:[a-z0-9_+'-]+:(?::skin-tone-[2-6]:)?`)

// shorten cuts a text, as it is sent, to so many characters, the mark included: never
// within a part that is whole, nor within a character as people see it (an emoji that
// is joined of several, a letter with marks). "" is a text of which nothing fits.
func shorten(text string, most int) string {
	if len(text) <= most || utf8.RuneCountInString(text) <= most {
		return text
	}
	fits := most - utf8.RuneCountInString(cutMark)
	parts := whole.FindAllStringIndex(text, -1)
	at, taken, end := 0, 0, 0
	for clusters := graphemes.FromString(text); clusters.Next() && taken <= fits; {
		for len(parts) > 0 && parts[0][1] <= at {
			parts = parts[1:]
		}
		if len(parts) == 0 || at <= parts[0][0] { // between two parts
			end = at
		}
		at += len(clusters.Value())
		taken += utf8.RuneCountInString(clusters.Value())
	}
	if short := strings.TrimRight(text[:end], " \t\r\n"); short != "" {
		return short + cutMark
	}
	return ""
}
