package local_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync"

	"github.com/penstock-data/penstock/shared/local"
)

// A fleet is the execution environments of one function: as many invocations at
// once as it has environments, each a process that is started anew when the one
// before it has ended, as Lambda does.
type fleet struct {
	binary string
	env    []string
	log    io.Writer
	all    []*environment
	free   chan *environment
}

// An environment is one process at a time.
type environment struct {
	mu sync.Mutex
	r  *local.Runtime // nil until the next invocation starts one
}

func newFleet(binary string, env []string, size int, log io.Writer) *fleet {
	f := &fleet{binary: binary, env: env, log: log, free: make(chan *environment, size)}
	for range size {
		e := &environment{}
		f.all = append(f.all, e)
		f.free <- e
	}
	return f
}

// Invoke implements local.Invoker. An invocation whose process is killed fails with
// local.ErrExited.
func (f *fleet) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var e *environment
	select {
	case e = <-f.free:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { f.free <- e }()
	r, err := f.running(ctx, e)
	if err != nil {
		return nil, err
	}
	answer, err := r.Invoke(ctx, payload)
	if errors.Is(err, local.ErrExited) || ctx.Err() != nil { // Lambda ends a process whose time is over
		e.kill()
	}
	return answer, err
}

func (f *fleet) running(ctx context.Context, e *environment) (*local.Runtime, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.r == nil {
		r, err := local.StartRuntime(ctx, f.binary, f.env, f.log)
		if err != nil {
			return nil, err
		}
		e.r = r
	}
	return e.r, nil
}

// kill ends the process with SIGKILL, and reports whether there was one.
func (e *environment) kill() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.r == nil {
		return false
	}
	e.r.Close()
	e.r = nil
	return true
}

// kill ends the processes of all environments.
func (f *fleet) kill() (killed int) {
	for _, e := range f.all {
		if e.kill() {
			killed++
		}
	}
	return killed
}

// killOne ends the process of one environment.
func (f *fleet) killOne(r *rand.Rand) bool { return f.all[r.IntN(len(f.all))].kill() }
