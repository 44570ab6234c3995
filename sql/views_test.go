package sql

import "testing"

// A model's text ends where its SELECT does, so that a semicolon may stand on the next line.
func TestModelQuery(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT 1":                              "SELECT 1\n",
		"SELECT 1;\n":                           "SELECT 1\n",
		"\nSELECT 1\r\nFROM t ;\r\n;\r\n":       "SELECT 1\r\nFROM t\n",
		"SELECT 1 -- all of them":               "SELECT 1 -- all of them\n",
		"SELECT 1; -- it's all":                 "SELECT 1\n",
		"SELECT 1 -- first;\n; /* then;\n */\n": "SELECT 1\n",
		"SELECT ';' -- kept":                    "SELECT ';' -- kept\n",
		`SELECT '--;', "/*;", 'it''s;' ; `:      `SELECT '--;', "/*;", 'it''s;'` + "\n",
	} {
		if got := modelQuery(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
