package cli

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// signals watches for Ctrl-C and SIGTERM. The first ends the command's context, so
// that it cleans up; a second one ends the process at once. A prompt takes Ctrl-C
// over while a statement runs.
type signals struct {
	cancel context.CancelFunc
	caught chan os.Signal
	done   chan struct{}

	mu    sync.Mutex
	taken func()
}

// watchSignals begins to watch. It also asks for SIGPIPE, so that a write to a
// closed pipe is an error instead of the process's end.
func watchSignals(ctx context.Context) (context.Context, *signals) {
	ctx, cancel := context.WithCancel(ctx)
	s := &signals{cancel: cancel, caught: make(chan os.Signal, 1), done: make(chan struct{})}
	signal.Notify(s.caught, os.Interrupt, syscall.SIGTERM)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	go s.watch()
	return ctx, s
}

func (s *signals) watch() {
	for {
		select {
		case got := <-s.caught:
			if taken := s.owner(); taken != nil && got == os.Interrupt {
				taken()
				continue
			}
			s.cancel()
			signal.Reset(os.Interrupt, syscall.SIGTERM) // the second ends at once
		case <-s.done:
			return
		}
	}
}

func (s *signals) owner() func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken
}

// take gives Ctrl-C to f until the returned function is called.
func (s *signals) take(f func()) (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.taken
	s.taken = f
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.taken = before
	}
}

// stop ends the watch.
func (s *signals) stop() {
	signal.Stop(s.caught)
	close(s.done)
	s.cancel()
}
