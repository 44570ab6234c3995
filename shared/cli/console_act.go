package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
)

// consoleActs acts at a state as the person whose console it is.
type consoleActs struct {
	control *runs.Control
	who     string
	place   somewhere
	s       program
	g       *errgroup.Group // what delivers in the background; nil where workers are at work anyway
	ctx     context.Context // of g

	mu         sync.Mutex // guards what follows
	waiting    []string   // runs that the console is to deliver
	delivering bool       // it does: the folder is in use by itself
}

// consoleUser is who acts at the console, for the audit log.
func consoleUser() string { return "console: " + machine.Login() }

// newActs acts at a state where workers are at work.
func newActs(s program, control *runs.Control, at somewhere) *consoleActs {
	return &consoleActs{control: control, who: consoleUser(), place: at, s: s}
}

func (a *consoleActs) as(ctx context.Context) context.Context { return runs.As(ctx, a.who) }

// Retry sends a run's errors again, page by page.
func (a *consoleActs) Retry(ctx context.Context, run string, s runs.Selector, token string) (string, error) {
	var said []string
	delivers := false
	for page := 0; ; page++ {
		r, err := a.control.Retry(a.as(ctx), run, s, fmt.Sprint("console:", token, ":", page))
		if err != nil {
			return strings.Join(said, "; "), err
		}
		text, _, _ := strings.Cut(r.Message, "; run ") // which page goes on is nobody's business here
		said = append(said, text)
		if r.Queued > 0 && a.deliver(r.Run) {
			delivers = true
		}
		if s.After = r.Next; r.Next == "" {
			break
		}
	}
	text := run + ": " + strings.Join(said, "; ")
	if delivers {
		text += "; no penstock local is at work here, so that the console delivers them"
	}
	return text, nil
}

// deliver has the console deliver a run, as penstock retry does, where no other process
// works in the folder; it reports whether it does.
func (a *consoleActs) deliver(run string) bool {
	if a.g == nil || a.place.Stack != "" {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.delivering && machine.InUse(a.place.Data) {
		return false
	}
	if a.waiting = append(a.waiting, run); !a.delivering {
		a.delivering = true
		a.g.Go(func() error {
			for ids := a.take(); len(ids) > 0; ids = a.take() {
				if err := a.settle(ids); err != nil && a.ctx.Err() == nil { // the page stays up
					fmt.Fprintln(a.s.err, "deliver what was sent again:", plain(err))
				}
			}
			return nil
		})
	}
	return true
}

// take gives the runs that wait; with none of them the console delivers no more.
func (a *consoleActs) take() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	ids := a.waiting
	a.waiting, a.delivering = nil, len(ids) > 0
	return ids
}

// settle starts what the queue of the folder needs, until the runs have settled.
func (a *consoleActs) settle(runs []string) error {
	s := a.s
	s.out, s.err = io.Discard, io.Discard
	gate, err := gated{Data: a.place.Data, Wait: 10 * time.Minute}.enter(a.ctx, s)
	if err != nil {
		return err
	}
	_, err = gate.settle(a.ctx, s, runs, nil)
	return errors.Join(err, gate.leave())
}

// Cancel ends a run.
func (a *consoleActs) Cancel(ctx context.Context, run, reason string) (string, error) {
	if reason == "" {
		reason = "cancelled at the console"
	}
	r, err := a.control.Cancel(a.as(ctx), run, reason)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s is %s: %s", r.ID, r.Status, r.Reason), nil
}

// Pause lets a sync take nothing on.
func (a *consoleActs) Pause(ctx context.Context, sync, reason string) (string, error) {
	p, err := a.control.Pause(a.as(ctx), sync, reason)
	if err != nil {
		return "", err
	}
	text := sync + " is paused"
	for _, id := range p.Running {
		text += "; still delivering: " + id
	}
	return text, nil
}

// Resume ends the pause.
func (a *consoleActs) Resume(ctx context.Context, sync string) (string, error) {
	p, err := a.control.Resume(a.as(ctx), sync)
	if err != nil {
		return "", err
	}
	if p.Before == nil {
		return sync + " was not paused", nil
	}
	return sync + " goes on", nil
}

// Accept lets the connection deliver to the account that answers next.
func (a *consoleActs) Accept(ctx context.Context, connection string) (string, error) {
	if _, err := a.control.AcceptAccount(a.as(ctx), connection, ""); err != nil {
		return "", err
	}
	return accepted(connection), nil
}

func accepted(connection string) string {
	return connection + " takes the account that answers next; its syncs start with an empty ledger, and their next runs select all rows"
}

// Reset clears the watermark.
func (a *consoleActs) Reset(ctx context.Context, sync string) (string, error) {
	if err := a.control.Reset(a.as(ctx), sync); err != nil {
		return "", err
	}
	return sync + ": the watermark is cleared: the next run selects all rows", nil
}
