package slack_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/dest"
	sim "github.com/penstock-data/penstock/shared/sandbox/slack"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// sent is the text of the one message that a record becomes.
func (w *world) sent(t *testing.T, b dest.Batch) string {
	t.Helper()
	before := len(w.sim.Messages())
	if _, err := w.deliver(b); err != nil {
		t.Fatal(err)
	}
	posted := w.sim.Messages()
	if len(posted) != before+1 {
		t.Fatalf("%d messages, want one", len(posted)-before)
	}
	return posted[before].Text
}

// A customer's name pings nobody, unless the mapping says that its column holds
// markup; what the definition itself says is markup.
func TestMarkup(t *testing.T) {
	const name = "Customer: <!channel> & <b>Co</b>"
	standard, made := "No text: <!here>", "{{msg}}"
	for what, c := range map[string]struct {
		field      syncdef.Field
		text, want string
	}{
		"a column":                    {syncdef.Field{}, name, "Customer: &lt;!channel&gt; &amp; &lt;b&gt;Co&lt;/b&gt;"},
		"a mention":                   {syncdef.Field{}, "<@U012AB3CD> <#C1> <!subteam^S1>", "&lt;@U012AB3CD&gt; &lt;#C1&gt; &lt;!subteam^S1&gt;"},
		"a link under another name":   {syncdef.Field{}, "<https://bad.example|https://good.example>", "&lt;https://bad.example|https://good.example&gt;"},
		"what is escaped already":     {syncdef.Field{}, "&lt;!channel&gt; &amp;amp;", "&amp;lt;!channel&amp;gt; &amp;amp;amp;"},
		"other characters":            {syncdef.Field{}, `:warning: *bold* "quoted" 'single' ü 🚰`, `:warning: *bold* "quoted" 'single' ü 🚰`},
		"a column of markup":          {syncdef.Field{Markup: true}, name, name},
		"the definition's default":    {syncdef.Field{Default: &standard}, standard, standard},
		"beside the default":          {syncdef.Field{Default: &standard}, standard + "<", "No text: &lt;!here&gt;&lt;"},
		"a template":                  {syncdef.Field{Value: &made}, "<!here> &amp;", "<!here> &amp;"}, // its columns are escaped already
		"a template of JSON":          {syncdef.Field{Value: &made, Type: syncdef.JSON}, "<!here>", "&lt;!here&gt;"},
		"a template's set":            {syncdef.Field{Value: &made, Type: syncdef.MultiPicklist}, "<!here>", "&lt;!here&gt;"},
		"a template's list":           {syncdef.Field{Value: &made, As: syncdef.AsJoin}, "<!here>", "&lt;!here&gt;"},
		"a template of markup":        {syncdef.Field{Value: &made, Type: syncdef.JSON, Markup: true}, "<!here>", "<!here>"},
		"a value of the definition's": {syncdef.Field{Values: []string{"<!here> up", "down"}}, "<!here> up", "<!here> up"},
	} {
		w := newWorld(t)
		c.field.Source, c.field.Destination = "msg", "text"
		w.def.Fields = []syncdef.Field{c.field}
		w.open()
		if diff := cmp.Diff(c.want, w.sent(t, dest.Batch{Run: "s.r1", Records: []dest.Record{rec("1", "", c.text)}})); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
		digest := w.sent(t, dest.Batch{Run: "s.r2", Total: map[string]int{"alerts": 30}, Records: []dest.Record{rec("2", "", c.text)}})
		if line := strings.Split(digest, "\n")[1]; line != "• "+c.want {
			t.Errorf("%s, in a digest: %q", what, line)
		}
	}
}

// The length is counted as the text is sent, and a digest's line is cut before it
// is escaped.
func TestEscapedLength(t *testing.T) {
	w := newWorld(t)
	out, err := w.deliver(dest.Batch{Run: "s.r1", Records: []dest.Record{
		rec("fits", "", strings.Repeat("&", 8_000)), rec("not", "", strings.Repeat("&", 8_001)),
	}})
	if err != nil || out[0].Status != dest.Delivered || out[1].Code != "msg_too_long" {
		t.Errorf("%+v, %v", out, err)
	}
	for n := range 40 {
		text := strings.Repeat("x", n) + strings.Repeat("<ü>", 60)
		digest := w.sent(t, dest.Batch{Run: fmt.Sprint("s.d", n), Total: map[string]int{"alerts": 30}, Records: []dest.Record{rec(fmt.Sprint("d", n), "", text)}})
		line := strings.TrimSuffix(strings.TrimPrefix(strings.Split(digest, "\n")[1], "• "), "…")
		if got := utf8.RuneCountInString(line); got > 159 || got < 155 {
			t.Errorf("%d characters: %q", got, line)
		}
		if rest := strings.NewReplacer("&lt;", "", "&gt;", "").Replace(line); strings.ContainsAny(rest, "&;<>") {
			t.Errorf("an entity is cut in %q", line)
		}
	}
}

// Over 4,000 characters as it is sent a message is refused or cut, as the definition
// says; where it says nothing, as of before, Slack's own bound holds.
func TestOnTooLong(t *testing.T) {
	long := strings.Repeat("word & ", 400) // 4,400 characters once it is escaped
	link := "https://x.example/" + strings.Repeat("a", 4_000)
	for _, c := range []struct {
		policy, text, code string
		least              int // characters that are sent
	}{
		{"reject", strings.Repeat("ü", 4_000), "", 4_000}, {"reject", strings.Repeat("ü", 4_001), "msg_too_long", 0}, {"reject", long, "msg_too_long", 0},
		{"truncate", strings.Repeat("ü", 4_000), "", 4_000}, {"truncate", strings.Repeat("ü", 4_001), "", 4_000}, {"truncate", long, "", 3_990},
		{"truncate", "see " + link, "", 4}, {"truncate", link, "msg_too_long", 0},
		{"", strings.Repeat("ü", 40_000), "", 40_000}, {"", strings.Repeat("ü", 40_001), "msg_too_long", 0},
	} {
		w := newWorld(t, func(_ *sim.Config, w *world) { w.opts.OnTooLong = c.policy })
		out, err := w.deliver(dest.Batch{Run: "s.r", Records: []dest.Record{rec("1", "", c.text)}})
		if err != nil || out[0].Code != c.code || (out[0].Status == dest.Rejected) != (c.code != "") {
			t.Errorf("%s, %d characters: %+v %v", c.policy, len(c.text), out, err)
			continue
		}
		if c.code != "" {
			if !strings.Contains(out[0].Message, "on_too_long: truncate") && c.policy == "reject" {
				t.Errorf("no remedy: %s", out[0].Message)
			}
			continue
		}
		sent := w.sim.Messages()[0].Text
		if n := utf8.RuneCountInString(sent); n < c.least || n > max(4_000, c.least) {
			t.Errorf("%s: %d characters are sent", c.policy, n)
		}
	}
}
