package sweep

import (
	"strings"
	"testing"
	"time"
)

func TestQuietTime(t *testing.T) {
	for text, want := range map[string]time.Duration{"2m": 2 * time.Minute, "1s": time.Second, "59m59s": 59*time.Minute + 59*time.Second} {
		if got, err := quietTime(text, time.Hour); got != want || err != nil {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "soon", "120", "0s", "999ms", "-2m", "1h", "24h"} {
		_, err := quietTime(text, time.Hour)
		if err == nil || !strings.Contains(err.Error(), "PENSTOCK_QUIET is") || !strings.Contains(err.Error(), "such as 2m") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestFromEnvironmentNamesWhatIsMissing(t *testing.T) {
	t.Setenv("PENSTOCK_STATE_TABLE", "state")
	t.Setenv("PENSTOCK_QUIET", "")
	if _, err := FromEnvironment(); err == nil || !strings.Contains(err.Error(), "PENSTOCK_QUIET is not set") {
		t.Errorf("%v", err)
	}
}
