package row

import (
	"strings"
	"testing"
	"unicode"
)

func key(steps ...Step) Identity { return Identity{Steps: steps} }

// TestKeyClasses: the values of a class share one key, and no two classes do.
func TestKeyClasses(t *testing.T) {
	for _, c := range []struct {
		name    string
		id      Identity
		classes map[string][]string
	}{
		{"as it is", key(), map[string][]string{"a": {"a"}, "A": {"A"}, "a  b": {"a  b"}, "1": {"1"}, "1.0": {"1.0"}}},
		{"trim", key(StepTrim), map[string][]string{"a  b": {"a  b", " a  b", "a  b\t", "\u00a0a  b\u2003", "\u0085a  b\u3000\n"}, "A": {"A "}}},
		{"space", key(StepTrim, StepSpace), map[string][]string{"a b": {"a b", "  a \u00a0\t b ", "a\u3000b", "a\r\nb"}, "ab": {"ab"}}},
		{"case", key(StepTrim, StepLower), map[string][]string{
			"strasse": {"Straße", "STRASSE", "straße", "STRAẞE", " strasse"}, "acme": {"ACME", "acme", "AcMe "},
			"σ-less σ": {"Σ-LESS Σ", "ς-less ς", "σ-less σ"}, "i": {"I", "i"}, "ı": {"ı"}, "i\u0307": {"İ"}, "ffi": {"ﬃ", "FFI"},
			"μ": {"µ", "Μ", "μ"}, "k": {"\u212a", "K"}, "Ꭰ": {"Ꭰ", "ꭰ"}, "Ᏽ": {"Ᏽ", "ᏽ"},
		}},
		{"form C", key(StepNFC), map[string][]string{"é": {"é", "e\u0301"}, "É": {"É", "E\u0301"}, "ﬁ": {"ﬁ"}, "Å": {"Å", "\u212b"}}},
		{"case and form C", key(StepTrim, StepSpace, StepLower, StepNFC), map[string][]string{
			"é": {"é", "e\u0301", "É", "E\u0301"}, "ǰ": {"ǰ", "J\u030c"}, "αι": {"ᾳ", "\u1fbc", "αι"},
		}},
		{"email", key(StepEmail, StepLower), map[string][]string{
			"john@acme.com":                        {"john@acme.com", " John@ACME.com", "JOHN@acme.COM\u00a0"},
			"a@xn--bcher-kva.de":                   {"a@bücher.de", "A@BÜCHER.de", "a@xn--bcher-kva.de", "a@XN--BCHER-KVA.DE", "a@bu\u0308cher.de", "a@bücher。de"},
			`"a b"@c.co`:                           {`"A b"@c.co`},
			"a@" + strings.Repeat("b", 63) + ".co": {"a@" + strings.Repeat("b", 63) + ".co"},
		}},
		{"domain", key(StepDomain), map[string][]string{
			"acme.com":         {"john@acme.com", "https://www.acme.com/about?x=a@b.co", "ACME.com", "www.acme.com.", "http://ACME.com:8080"},
			"xn--bcher-kva.de": {"https://Bücher.de", "a@BÜCHER.DE", "xn--bcher-kva.de", "www.bücher.de。"},
			"xn--fa-hia.de":    {"faß.de"}, "fass.de": {"fass.de"},
		}},
		{"plain", key(StepPlain, StepTrim, StepLower, StepNFC), map[string][]string{
			"a  b": {"A  b", "\t a  b\r\n"}, "ab\u00a0": {"AB\u00a0", " ab\u00a0 "}, "\u3000ab": {"\u3000ab"}, "ab": {"ab"},
			"strasse": {"Straße", "STRASSE", "STRAẞE"}, "σίσυφοσ": {"Σίσυφος", "ΣΊΣΥΦΟΣ"}, "μ": {"µ", "Μ"}, "i\u0307": {"İ", "I\u0307"}, "k": {"\u212a", "K"},
			"ſ": {"ſ"}, "s": {"S"}, "ﬁ": {"ﬁ"}, "fi": {"FI"}, "ŉ": {"ŉ"}, "ʼn": {"ʼN"},
			"éé": {"Éé", "E\u0301e\u0301"}, "ée\u0301": {"Ée\u0301"}, "ẹ\u0301": {"ẹ\u0301", "E\u0323\u0301"}, "e\u0301\u0323": {"E\u0301\u0323"},
		}},
		{"plain, letters", key(StepPlain, StepTrim, StepLetters), map[string][]string{
			"a  b1": {"A  B1", "\t a  b1\r\n"}, "é": {"É", "é"}, "e\u0301": {"E\u0301"}, "\u00a0a": {"\u00a0A"},
			"straße": {"Straße", "STRAßE"}, "strasse": {"STRASSE"}, "ẞ": {"ẞ"}, "σ": {"Σ", "σ"}, "ς": {"ς"}, "μ": {"Μ", "μ"}, "µ": {"µ"},
			"İ": {"İ"}, "i\u0307": {"I\u0307"}, "ı": {"ı"}, "\u212a": {"\u212a"}, "k": {"K"}, "ſ": {"ſ"}, "å": {"Å"}, "\u212b": {"\u212b"}, "ǆ": {"Ǆ"}, "ǅ": {"ǅ"},
		}},
		{"plain, space", key(StepPlain, StepTrim, StepSpace), map[string][]string{"a b": {"a \u00a0\t b ", "a\u3000b"}, "a b\u00a0": {" a  b\u00a0"}, "\u3000 a b": {"\u3000 a  b"}, "\u00a0": {"\u00a0"}}},
		{"plain, email", key(StepPlain, StepEmail, StepLower), map[string][]string{"a@xn--bcher-kva.de": {"a@bücher.de", " A@BÜCHER.de", "\u00a0a@bücher.de\u3000", "a@XN--BCHER-KVA.DE", "a@bu\u0308cher.de"}, "a@xn--fa-hia.de": {"a@faß.de"}}},
		{"plain, domain", key(StepPlain, StepDomain), map[string][]string{"xn--bcher-kva.de": {"https://Bücher.de/ﬁx", "a@BU\u0308CHER.DE", "xn--bcher-kva.de\u00a0", "http://bücher.de。/"}}},
		{"id", key(StepID18), map[string][]string{
			"a0D30000001n7PiEAI": {"a0D30000001n7Pi", "a0D30000001n7PiEAI", "A0D30000001N7PIEAI", "a0d30000001n7pieai", " a0D30000001n7Pi "},
			"a0D30000001n7piEAA": {"a0D30000001n7pi"},
			"0015g0000000001AAA": {"0015g0000000001", "0015g0000000001AAA", "0015G0000000001AAA"},
			"ABCDEABCDEABCDE555": {"ABCDEABCDEABCDE", "abcdeabcdeabcde555"},
		}},
		{"number", key(StepNumber), map[string][]string{
			"1": {"1", "1.0", "1.00", "1e0", "+1", "01", " 1 "}, "0": {"0", "-0", "0.0"}, "-2.5": {"-2.5", "-2.50"},
			"9007199254740993": {"9007199254740993", "9007199254740993.0"}, "9007199254740992": {"9007199254740992"},
		}},
	} {
		for want, values := range c.classes {
			for _, v := range values {
				got, ok := c.id.Key([]byte("before"), []byte(v))
				if !ok || string(got) != "before"+want {
					t.Errorf("%s: %q has the key %q %v, want %q", c.name, v, got, ok, want)
				}
			}
		}
	}
}

func TestNoKey(t *testing.T) {
	for _, c := range []struct {
		id     Identity
		values []string
	}{
		{key(), []string{"", "\xff"}},
		{key(StepTrim), []string{"", " ", "\u00a0\u2003", "a\xff"}},
		{key(StepNumber), []string{"", "x", "1 2", "1,5", "0x1", "١", "1e9999999999", "true"}},
		{key(StepID18), []string{"", "0015g000000000", "0015g00000000012", "0015g0000000001AA", "0015g000000000!", "0015g0000000001AA6", "0015g0000000001BAA", "0015g000000000ä"}},
		{key(StepEmail), []string{"a", "@b.co", "a@b", "a@b..co", "a@-b.co", ".a@b.co", "a@bü cher.de", "a@" + strings.Repeat("ü", 70) + ".de"}},
		{key(StepDomain), []string{"", "acme", "192.168.0.1", "a@b@acme.com", "ac_me.com", "-acme.com", "bü/cher"}},
		{key(StepPlain, StepTrim), []string{" \t"}},
		{key(StepPlain, StepEmail), []string{"a@bücher。de", "a@ａcme.de", "a@ac\u00adme.de", "a@bü.bu\u0308.de", "a@bü.xn--bcher-kva.de"}},
		{key(StepPlain, StepDomain), []string{"a@bücher。de", "http://ＡＣＭＥ.de/", "http://ac\u00adme.de", "ﬁx.de"}},
		{key("soundex"), []string{"a"}},
	} {
		for _, v := range c.values {
			if got, ok := c.id.Key([]byte("before"), []byte(v)); ok || string(got) != "before" {
				t.Errorf("%v: %q has the key %q", c.id.Steps, v, got)
			}
		}
	}
	if key("soundex").Known() || !key(StepPlain, StepTrim, StepLetters, StepNumber).Known() {
		t.Error("Known is mistaken")
	}
}

func TestFoldedKey(t *testing.T) {
	id := Identity{Steps: []Step{StepTrim}, CaseUnsure: true}
	for _, pair := range [][2]string{{"AbC-1", "abc-1"}, {"Straße", "STRASSE"}} {
		a, _ := id.Key(nil, []byte(pair[0]))
		b, _ := id.Key(nil, []byte(pair[1]))
		if string(a) == string(b) {
			t.Errorf("%q and %q share a key, though nobody said so", a, b)
		}
		if x, y := id.FoldedKey(nil, a), id.FoldedKey(nil, b); string(x) != string(y) {
			t.Errorf("folded, %q and %q are %q and %q", a, b, x, y)
		}
	}
	if x, y := id.FoldedKey(nil, []byte("a1")), id.FoldedKey(nil, []byte("a2")); string(x) == string(y) {
		t.Error("two values that differ in more than case share a folded key")
	}
}

func TestTrim(t *testing.T) {
	if got := key(StepPlain, StepTrim, StepEmail).Trim([]byte("\u00a0a@b.co ")); string(got) != "a@b.co" {
		t.Errorf("an address is %q", got)
	}
	for in, want := range map[string][2]string{"\t a \r\n": {"a", "a"}, "\u00a0 a\u3000 ": {"a", "\u00a0 a\u3000"}, " ": {"", ""}} {
		if all, plain := key(StepTrim).Trim([]byte(in)), key(StepPlain, StepTrim).Trim([]byte(in)); string(all) != want[0] || string(plain) != want[1] {
			t.Errorf("%q is %q, and by what is plain %q", in, all, plain)
		}
	}
}

func TestKeyDoesNotAllocate(t *testing.T) {
	dst := make([]byte, 0, 200)
	for _, c := range []struct {
		id    Identity
		value string
	}{
		{key(StepTrim, StepSpace, StepLower, StepNFC), " ACME  Corporation "}, {key(StepPlain, StepTrim, StepSpace, StepLower, StepNFC), " ACME  Corporation "}, {key(StepPlain, StepTrim, StepEmail), "John@Acme.com"}, {key(StepPlain, StepTrim, StepLetters), "AbC-1"}, {key(StepDomain), "John.Doe@AcmeCorp.com"},
		{key(StepEmail, StepLower), "John.Doe@AcmeCorp.com"}, {key(StepID18), "a0D30000001n7Pi"}, {key(StepNumber), "12.50"},
	} {
		value := []byte(c.value)
		if n := testing.AllocsPerRun(100, func() {
			if _, ok := c.id.Key(dst, value); !ok {
				t.Error("no key")
			}
		}); n != 0 {
			t.Errorf("%v: %v allocations", c.id.Steps, n)
		}
	}
}

// combinations are all orders of up to four text steps, alone and with each step
// that asks for a shape before and behind them.
func combinations() (all []Identity) {
	text := []Step{StepTrim, StepSpace, StepLower, StepNFC}
	var add func(steps []Step)
	add = func(steps []Step) {
		all = append(all, key(steps...))
		for _, shape := range []Step{StepEmail, StepDomain, StepID18, StepNumber} {
			all = append(all, key(append([]Step{shape}, steps...)...), key(append(steps[:len(steps):len(steps)], shape)...))
		}
		for _, s := range text {
			if !(Identity{Steps: steps}).Has(s) {
				add(append(steps[:len(steps):len(steps)], s))
			}
		}
	}
	add(nil)
	all = append(all, key(StepTrim, StepLetters))
	for _, id := range all {
		all = append(all, key(append([]Step{StepPlain}, id.Steps...)...))
	}
	return all
}

var keySeeds = []string{"", " A  b ", "Straße", "e\u0301 É", "ǰJ\u030c", "\u1fbc\u0301", "İı", "Σς", "A@Bücher.DE", "https://www.x.de:80/y", "a0D30000001n7Pi", "A0D30000001N7PIEAI", "-0.50e3", "\u0345\u0301α", "ΐ\u0390", "\u2126", "\U0001f468\u200d\U0001f469"}

func checkKeys(t *testing.T, ids []Identity, value string) {
	for _, id := range ids {
		once, ok := id.Key(nil, []byte(value))
		if !ok {
			continue
		}
		if twice, ok := id.Key(nil, once); !ok || string(twice) != string(once) {
			t.Errorf("%v: the key of %+q is %+q, whose key is %+q %v", id.Steps, value, once, twice, ok)
		}
		folded := id.FoldedKey(nil, once)
		if again := id.FoldedKey(nil, folded); string(again) != string(folded) {
			t.Errorf("%v: the key %+q is %+q without case, and that is %+q", id.Steps, once, folded, again)
		}
	}
}

func TestKeyOfKey(t *testing.T) {
	for _, v := range keySeeds {
		checkKeys(t, combinations(), v)
	}
}

// TestKeyOfEveryLetter asks it of each letter with and without a mark behind it.
func TestKeyOfEveryLetter(t *testing.T) {
	ids := []Identity{key(StepLower), key(StepLower, StepNFC), key(StepNFC, StepLower), key(StepNFC), key(StepTrim, StepSpace, StepLower, StepNFC), key(StepPlain, StepTrim, StepSpace, StepLower, StepNFC), key(StepPlain, StepTrim, StepLetters)}
	for r := rune(1); r <= 0x1ffff; r++ {
		if r >= 0xd800 && r < 0xe000 || unicode.In(r, unicode.Han, unicode.Hangul, unicode.Tangut, unicode.Cn) && r%16 != 0 {
			continue // surrogates; most of the many that have neither case nor parts
		}
		checkKeys(t, ids, "x"+string(r))
		if r > 0x7f && r < 0x2200 {
			checkKeys(t, ids, string(r)+"\u0345\u0301")
		}
	}
}

// FuzzKey: a key is its own key, by any rule.
func FuzzKey(f *testing.F) {
	ids := combinations()
	for n, v := range keySeeds {
		f.Add(v, uint16(n*37))
	}
	f.Fuzz(func(t *testing.T, value string, rule uint16) {
		n := int(rule) % len(ids)
		checkKeys(t, ids[n:n+1], value)
	})
}

func BenchmarkKey(b *testing.B) {
	dst := make([]byte, 0, 200)
	for name, c := range map[string]struct {
		id    Identity
		value string
	}{
		"domain": {key(StepDomain), "john.doe@acmecorp.com"}, "name": {key(StepTrim, StepSpace, StepLower, StepNFC), "ACME Corporation"},
		"id": {key(StepID18), "a0D30000001n7PiEAI"}, "beyond ASCII": {key(StepTrim, StepSpace, StepLower, StepNFC), "Müller Straße"},
	} {
		value := []byte(c.value)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.id.Key(dst, value)
			}
		})
	}
}
