package worker

import (
	"math"
	"runtime/debug"
	"testing"
)

func TestUseMemory(t *testing.T) {
	percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(math.MaxInt64)
	t.Cleanup(func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	})
	for _, c := range []struct {
		env     map[string]string
		percent int
		limit   int64
	}{
		{nil, 100, math.MaxInt64},
		{map[string]string{memorySize: "much"}, 100, math.MaxInt64},
		{map[string]string{memorySize: "512", "GOGC": "50"}, 100, math.MaxInt64},
		{map[string]string{memorySize: "512", "GOMEMLIMIT": "300MiB"}, 100, math.MaxInt64},
		{map[string]string{memorySize: "512"}, heapGrowth, 384 << 20},
	} {
		useMemory(func(name string) (string, bool) { v, ok := c.env[name]; return v, ok })
		if percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(math.MaxInt64); percent != c.percent || limit != c.limit {
			t.Errorf("%v: collects at %d%% and %d bytes, want %d%% and %d", c.env, percent, limit, c.percent, c.limit)
		}
	}
}
