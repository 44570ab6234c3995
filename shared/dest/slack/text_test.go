package slack

import (
	"html"
	"strings"
	"testing"
	"unicode/utf8"
)

// An escaped text holds no markup and reads as it was; a text is cut to its bound,
// by whole characters of its beginning, and only where it has to be.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "a", "<!channel> & <b>Co</b>", "&amp;&lt;", strings.Repeat("&", 300), "🚰ü", "\xff<", strings.Repeat("ü", 160)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		sent := escape(s)
		rest := strings.NewReplacer("&amp;", "", "&lt;", "", "&gt;", "").Replace(sent)
		if strings.ContainsAny(rest, "&<>") {
			t.Errorf("%q holds markup", sent)
		}
		if !strings.Contains(s, "\x00") && html.UnescapeString(sent) != s {
			t.Errorf("%q reads as %q", s, html.UnescapeString(sent))
		}
		if !utf8.ValidString(s) {
			return // mapping gives none
		}
		short := cut(s, maxSummary, escapedWidth)
		if n := utf8.RuneCountInString(escape(short)); n > maxSummary {
			t.Errorf("%d characters", n)
		}
		if short != s && (!strings.HasPrefix(s, strings.TrimSuffix(short, "…")) || utf8.RuneCountInString(sent) <= maxSummary) {
			t.Errorf("%q was cut to %q", s, short)
		}
	})
}
