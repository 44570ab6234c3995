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
		for _, most := range []int{1, 2, 20, maxSummary} {
			checkShort(t, sent, shorten(sent, most), most)
			checkShort(t, s, shorten(s, most), most)
		}
	})
}

// checkShort wants the beginning of a text, no longer than its bound, without a part
// of what is whole.
func checkShort(t *testing.T, text, short string, most int) {
	t.Helper()
	if n := utf8.RuneCountInString(short); n > most {
		t.Errorf("%q is cut to %d characters, and %d fit", text, n, most)
	}
	if short == text || short == "" {
		return
	}
	kept := strings.TrimSuffix(short, cutMark)
	if !strings.HasPrefix(text, kept) || utf8.RuneCountInString(text) <= most {
		t.Errorf("%q was cut to %q", text, short)
	}
	end := len(kept)
	for _, p := range whole.FindAllStringIndex(text, -1) {
		if p[0] < end && end < p[1] {
			t.Errorf("%q is cut within %q", short, text[p[0]:p[1]])
		}
	}
}

// A long message is cut between characters as people see them, never within a link, a
// mention, an entity or an emoji's name, and not more than it must be.
func TestShorten(t *testing.T) {
	family := "👨\u200d👩\u200d👧\u200d👦"
	for _, c := range []struct{ text, want string }{
		{strings.Repeat("a", 20), strings.Repeat("a", 20)},
		{strings.Repeat("a", 21), strings.Repeat("a", 19) + "…"},
		{"seven w <https://x.example|a link> more", "seven w…"},
		{"see https://x.example/a/b?c=d&amp;e=f now", "see…"},
		{"short <http://a.b|c> rest of it", "short…"},
		{"short <http://a|c> rest of it", "short <http://a|c>…"},
		{"twelve chars &amp;&amp;&amp;&amp;", "twelve chars &amp;…"},
		{"sixteen chars ab &amp;&amp;", "sixteen chars ab…"},
		{"fifteen charac " + family + family, "fifteen charac…"},
		{"ten chars " + family + family, "ten chars " + family + "…"},
		{"eighteen charactere\u0301\u0301 more", "eighteen character…"},
		{"a flag is pair two 🇩🇪🇫🇷", "a flag is pair two…"},
		{"some emoji at :warning: end", "some emoji at…"},
		{"<https://x.example/a/long/one|link> text", ""},
		{"https://x.example/a/long/one text", ""},
		{"1 < 2 and 3 > 2 but what", "1 < 2 and 3 > 2 but…"},
		{"<!here> <@U012345> <#C012345> look", "<!here> <@U012345>…"},
	} {
		if got := shorten(c.text, 20); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}
