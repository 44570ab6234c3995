package sandbox

import (
	"runtime"
	"time"
)

// A watch measures one handler: wall time from the real clock, whatever the
// simulator's own clock says, and, when asked for, its thread's CPU time.
type watch struct {
	begun  time.Time
	thread time.Duration
	locked bool
}

// startWatch begins to measure. With threadCPU the goroutine stays on its thread
// until cpu is called.
func startWatch(threadCPU bool) watch {
	w := watch{locked: threadCPU}
	if threadCPU {
		runtime.LockOSThread()
		w.thread = threadTime()
	}
	w.begun = time.Now()
	return w
}

func (w watch) wall() time.Duration { return time.Since(w.begun) }

func (w watch) cpu() time.Duration {
	if !w.locked {
		return 0
	}
	d := threadTime() - w.thread
	runtime.UnlockOSThread()
	return d
}
