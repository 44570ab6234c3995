package run

import "testing"

// A page of errors goes on behind any row that a request may have.
func TestCheckPage(t *testing.T) {
	for token, taken := range map[string]bool{
		"": true, "b#0": true, "b#-1": true, "b#987654321": true, "b#2147483647": true,
		"b": false, "#1": false, "b#01": false, "b#-2": false, "b#1#2": false, "b#99999999999": false,
	} {
		if err := CheckPage(token); (err == nil) != taken {
			t.Errorf("%q: %v", token, err)
		}
	}
}
