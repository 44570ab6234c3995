package intercom

import (
	"context"
	"sync"
)

// Turns let one caller at a time make the call of a name. Who waits for it looks again at
// what it brought; callers of other names, and who needs no call, wait for nobody.
type turns struct {
	mu   sync.Mutex
	ends map[string]chan struct{} // by name; closed at the end of the turn
}

// take waits for the turn of a name, and answers how it is left. The error is the context's.
func (t *turns) take(ctx context.Context, name string) (leave func(), err error) {
	for {
		ends, taken := t.begin(name)
		if !taken {
			return func() { t.end(name) }, nil
		}
		select {
		case <-ends:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// once does in the turn of a name what is not done by then.
func (t *turns) once(ctx context.Context, name string, done func() bool, do func() error) error {
	if done() {
		return nil
	}
	leave, err := t.take(ctx, name)
	if err != nil {
		return err
	}
	defer leave()
	if done() { // by another one, meanwhile
		return nil
	}
	return do()
}

// begin begins a turn, where none of the name is taken; else it answers that one's end.
func (t *turns) begin(name string) (ends <-chan struct{}, taken bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if ends, taken := t.ends[name]; taken {
		return ends, true
	}
	if t.ends == nil {
		t.ends = map[string]chan struct{}{}
	}
	t.ends[name] = make(chan struct{})
	return nil, false
}

func (t *turns) end(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	close(t.ends[name])
	delete(t.ends, name)
}
