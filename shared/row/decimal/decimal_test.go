package decimal

import (
	"math/big"
	"strings"
	"testing"
)

var texts = []string{"0", "-0.0", "1", "-1", "0.5", "-0.5", "9.995", "99.949", "0.0001", "123456789012345678901234567890.5", "1e3", "12e-5", "-7.25e2", "0.1", "0.10", "5e-1", "1e-20", "999999.9999995"}

func rat(s string) *big.Rat { r, _ := new(big.Rat).SetString(s); return r }

// TestAgainstRationals checks rounding, comparing and writing with math/big.
func TestAgainstRationals(t *testing.T) {
	for _, a := range texts {
		for _, b := range texts {
			da, _, _, _ := Parse([]byte(a), nil)
			db, _, _, _ := Parse([]byte(b), nil)
			if got, want := da.Compare(&db), rat(a).Cmp(rat(b)); got != want {
				t.Errorf("%s against %s: %d, want %d", a, b, got, want)
			}
		}
		for scale := range 8 {
			d, _, _, _ := Parse([]byte(a), nil)
			d.Round(scale)
			got := string(d.Append(nil))
			if rat(got).Cmp(rat(rat(a).FloatString(scale))) != 0 { // FloatString rounds half away from zero
				t.Errorf("%s to %d digits: %s, want %s", a, scale, got, rat(a).FloatString(scale))
			}
		}
	}
}

func TestCanonical(t *testing.T) {
	long := strings.Repeat("7", 63) + ".25"
	for want, spellings := range map[string][]string{
		"1":                         {"1", "1.0", "1.00", "1e0", "+1", "01", "10e-1", "0.1E+1", "1."},
		"0":                         {"0", "-0", "0.0", "-0.000", "+0", "00", "0e99", ".0", "0e999999999999"},
		"-0.5":                      {"-0.5", "-.5", "-0.50", "-5e-1", "-00.5"},
		"1200":                      {"1200", "1.2e3", "12e2", "1200.0"},
		"9007199254740993":          {"9007199254740993", "9007199254740993.0", "9.007199254740993e15"},
		"9007199254740992":          {"9007199254740992"},
		"1234567890123456789012345": {"1234567890123456789012345", "1234567890123456789012345.00", "1234567890123456789.012345e6"},
		"5e99":                      {"5e99", "50e98", "0.5e100", "5" + strings.Repeat("0", 99)},
		"-5e-99":                    {"-5e-99", "-0." + strings.Repeat("0", 98) + "5"},
		strings.Replace(long, ".", "", 1) + "e-2": {long, long + "0"},
		"1" + strings.Repeat("0", 63):             {"1e63", "1" + strings.Repeat("0", 63)},
		"1e64":                                    {"1e64", "1" + strings.Repeat("0", 64)},
		"1e500000":                                {"1e500000", "10e499999"},
	} {
		for _, s := range spellings {
			got, ok := AppendCanonical([]byte("x"), []byte(s))
			if !ok || string(got) != "x"+want {
				t.Errorf("%.80s: %s %v, want %s", s, got, ok, want)
			}
			if s != want && Canonical([]byte(s)) {
				t.Errorf("%.80s is taken for canonical", s)
			}
			if form, ok := Within([]byte(s)); ok && string(form) != want {
				t.Errorf("%.80s holds the form %s, want %s", s, form, want)
			}
		}
		if len(want) <= mostPlain && !strings.Contains(want, "e") && !Canonical([]byte(want)) {
			t.Errorf("%s is not taken for canonical", want)
		}
	}
	for _, s := range []string{"", "-", "+", ".", "e5", "1e", "1e+", "NaN", "Infinity", "0x10", "1_000", "1,5", "1.2.3", " 1", "1 ", "--1", "1e9999999999", "1e-9999999999", "١"} {
		if got, ok := AppendCanonical(nil, []byte(s)); ok {
			t.Errorf("%q has the form %q", s, got)
		}
	}
}

func TestCanonicalDoesNotAllocate(t *testing.T) {
	dst := make([]byte, 0, 100)
	for _, s := range []string{"12.5", "12.50", "1e3"} {
		in := []byte(s)
		if n := testing.AllocsPerRun(100, func() { _, _ = AppendCanonical(dst, in) }); n != 0 {
			t.Errorf("%s: %v allocations", s, n)
		}
	}
}

func TestInt(t *testing.T) {
	for in, want := range map[string]int64{"0": 0, "-0.0": 0, "12": 12, "1.2e1": 12, "-1200": -1200, "999999999999999999": 999999999999999999, "1e17": 100000000000000000} {
		d, _, _, _ := Parse([]byte(in), nil)
		if n, ok := d.Int(); !ok || n != want {
			t.Errorf("%s: %d %v", in, n, ok)
		}
	}
	for _, in := range []string{"0.5", "12.01", "1e18", "1e-1", "1000000000000000000", "1e999999999"} {
		d, _, _, _ := Parse([]byte(in), nil)
		if n, ok := d.Int(); ok {
			t.Errorf("%s: %d", in, n)
		}
	}
}

// FuzzCanonical: a canonical form is of the same value, and its own form.
func FuzzCanonical(f *testing.F) {
	for _, s := range append(texts, "1e63", "1e64", "-0e1", "+.5e-3") {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, s []byte) {
		form, ok := AppendCanonical(nil, s)
		if !ok {
			return
		}
		again, ok := AppendCanonical(nil, form)
		if !ok || string(again) != string(form) {
			t.Fatalf("%s: %s, whose form is %s", s, form, again)
		}
		a, _, _, _ := Parse(s, nil)
		b, json, _, _ := Parse(form, nil)
		if a.Compare(&b) != 0 || !json {
			t.Fatalf("%s: %s", s, form)
		}
	})
}
