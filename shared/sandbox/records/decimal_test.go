package records

import "testing"

func TestRound(t *testing.T) {
	for _, test := range []struct {
		in           string
		whole, scale int
		want         string
		fit          Fit
	}{
		{"85", 4, 1, "85", Fits}, {"85.0", 4, 1, "85.0", Fits}, {"85.05", 4, 1, "85.1", Fits}, {"85.04", 4, 1, "85.0", Fits},
		{"-85.05", 4, 1, "-85.1", Fits}, {"9999.95", 4, 1, "", TooLarge}, {"9999.94", 4, 1, "9999.9", Fits},
		{"10000", 4, 1, "", TooLarge}, {"00001", 4, 1, "00001", Fits}, {"1e3", 4, 1, "1000", Fits}, {"1E-1", 4, 1, "0.1", Fits},
		{"1e4", 4, 1, "", TooLarge}, {"5e-2", 4, 1, "0.1", Fits}, {"-0.04", 4, 1, "0.0", Fits}, {"0.5", 1, 0, "1", Fits},
		{"9007199254740993", 18, 0, "9007199254740993", Fits}, {"abc", 4, 1, "", Bad}, {"", 4, 1, "", Bad}, {"1.2.3", 4, 1, "", Bad},
	} {
		got, fit := Round(nil, []byte(test.in), test.whole, test.scale)
		if got == nil && fit == Fits {
			got = []byte(test.in)
		}
		if fit != test.fit || string(got) != test.want {
			t.Errorf("%s (%d.%d): %s %d, want %s %d", test.in, test.whole, test.scale, got, fit, test.want, test.fit)
		}
		if fit == Fits && string(got) == test.in != FitsPlainly([]byte(test.in), test.whole, test.scale) && test.in != "00001" {
			t.Errorf("%s: the short cut disagrees", test.in)
		}
	}
}

func TestCanonical(t *testing.T) {
	for in, want := range map[string]string{
		"85": "85", "85.0": "85", "085.50": "85.5", "8.55e1": "85.5", "0": "0", "-0.00": "0", "0e9": "0", "1e3": "1000",
		"12e-1": "1.2", "5e-3": "0.005", "-0.5": "-0.5", "+7": "7", ".5": "0.5", "100": "100", "x": "", "": "", "1e999": "",
		"9007199254740993.0": "9007199254740993",
	} {
		got, ok := AppendCanonical(nil, []byte(in))
		if string(got) != want || ok != (want != "") {
			t.Errorf("%s: %s %v, want %s", in, got, ok, want)
		}
	}
	ordered := []string{"-10", "-9.5", "-1", "0", "0.05", "0.5", "1", "1.25", "1.5", "9", "10", "100"}
	for i, a := range ordered {
		for j, b := range ordered {
			if got := compareDecimals([]byte(a), []byte(b)); got < 0 != (i < j) || got > 0 != (i > j) {
				t.Errorf("%s against %s: %d", a, b, got)
			}
		}
	}
}
