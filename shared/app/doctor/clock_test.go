package doctor

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A clock is judged by the servers' Date headers, over the middle of nothing: what lies
// between sending and answer is no skew.
func TestClock(t *testing.T) {
	theirs := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	for name, test := range map[string]struct {
		skews []time.Duration
		took  time.Duration
		want  Verdict
	}{
		"right":                     {[]time.Duration{0}, 0, OK},
		"a slow answer":             {[]time.Duration{-time.Minute}, 2 * time.Minute, OK},
		"a bit ahead":               {[]time.Duration{2 * time.Minute}, 0, Warn},
		"a bit behind":              {[]time.Duration{-2 * time.Minute}, 0, Warn},
		"ahead":                     {[]time.Duration{6 * time.Minute}, 0, Fail},
		"behind":                    {[]time.Duration{-6 * time.Minute}, 0, Fail},
		"one server alone is wrong": {[]time.Duration{-6 * time.Minute, time.Second, time.Hour}, 0, OK},
		"nobody to ask":             {nil, 0, OK},
	} {
		c := &Clocks{}
		for _, skew := range test.skews {
			now := theirs.Add(skew)
			c.Now = func() time.Time { at := now; now = now.Add(test.took); return at }
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", theirs.Format(http.TimeFormat))
			}))
			client := http.Client{Transport: c.Watch(http.DefaultTransport)}
			answer, err := client.Get(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			s.Close()
		}
		got := c.Finding()
		if got.Verdict != test.want || (got.Remedy == "") != (test.want == OK) {
			t.Errorf("%s: %+v, want %s", name, got, test.want)
		}
	}
	c := &Clocks{}
	c.See("x", "soon", theirs, theirs)
	if len(c.seen) != 0 {
		t.Error("a Date that cannot be read is believed")
	}
}
