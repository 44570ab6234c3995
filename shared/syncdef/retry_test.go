package syncdef

import (
	"testing"
	"time"
)

func TestRetry(t *testing.T) {
	for _, c := range []struct {
		retry     *Retry
		attempts  int
		base, max time.Duration
	}{
		{nil, 3, time.Minute, 15 * time.Minute},
		{&Retry{}, 3, time.Minute, 15 * time.Minute},
		{&Retry{Attempts: 1, Base: "5s", Max: "1h"}, 1, 5 * time.Second, time.Hour},
		{&Retry{Attempts: 5, Base: "30m"}, 5, 30 * time.Minute, 30 * time.Minute},
		{&Retry{Attempts: -1, Base: "soon", Max: "-1s"}, 3, time.Minute, 15 * time.Minute},
	} {
		d := Definition{Retry: c.retry}
		if d.RetryAttempts() != c.attempts || d.RetryBase() != c.base || d.RetryMax() != c.max {
			t.Errorf("%+v: %d, %v, %v", c.retry, d.RetryAttempts(), d.RetryBase(), d.RetryMax())
		}
	}
}

func TestSourceStored(t *testing.T) {
	for in, want := range map[StoreSource]StoreSource{"": StoreMapped, StoreNone: StoreNone, StoreMapped: StoreMapped, StoreAll: StoreAll} {
		if got := (&Definition{StoreSource: in}).SourceStored(); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}
