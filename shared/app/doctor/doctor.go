// Package doctor examines an installation: checks run at the same time, each within a
// limit, and each says what is well, what is worth a look and what is broken, with the
// remedy. It judges what it is told; who asks the folder, the stack and the accounts is
// package cli. A finding holds no row's value and no secret (I6).
package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// A Verdict is how one thing stands.
type Verdict string

// The verdicts. Only Fail makes the examination fail.
const (
	OK   Verdict = "ok"
	Warn Verdict = "warn" // works, or is not known, and is worth a look
	Fail Verdict = "fail" // rows do not arrive, or will not
)

// A Finding is one line of the examination.
type Finding struct {
	Check   string  `json:"check"`           // the area: state, queues, connection, clock, ...
	About   string  `json:"about,omitempty"` // of which there are several: a connection, a queue, a sync
	Verdict Verdict `json:"verdict"`
	Detail  string  `json:"detail"`
	// Remedy is the command to run or the page to read, as a person types it; "" where
	// all is well.
	Remedy string `json:"remedy,omitempty"`
}

// A Check finds things out about one area; what it returns beside an error counts.
type Check struct {
	Name string
	// Run may use the context's time. Its error is a failure of the check itself.
	Run func(ctx context.Context) ([]Finding, error)
	// Remedy is what to do where Run fails or does not end.
	Remedy string
}

// most is how many checks run at once: some ask the same account.
const most = 16

// Examine runs the checks, each for no longer than limit, and answers their findings in
// the order of the checks. One that fails, panics or does not end is a finding of its
// own, and takes no other with it.
func Examine(ctx context.Context, checks []Check, limit time.Duration) []Finding {
	found := make([][]Finding, len(checks))
	var g errgroup.Group
	g.SetLimit(most)
	for i, c := range checks {
		g.Go(func() error {
			found[i] = c.within(ctx, limit)
			return nil
		})
	}
	_ = g.Wait() // no check returns an error here
	var all []Finding
	for _, f := range found {
		all = append(all, f...)
	}
	return all
}

// within runs a check; one that does not heed its context is left to itself.
func (c Check) within(ctx context.Context, limit time.Duration) []Finding {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	type answer struct {
		found []Finding
		err   error
	}
	answered := make(chan answer, 1)
	go func() {
		var a answer
		defer func() {
			if p := recover(); p != nil {
				a.err = errors.New("the check itself broke; please report it") // a panic's text may quote a row (I6)
			}
			answered <- a
		}()
		a.found, a.err = c.Run(limited)
	}()
	select {
	case a := <-answered:
		return append(a.found, c.failed(limited, a.err, limit)...)
	case <-limited.Done():
		return c.failed(limited, limited.Err(), limit)
	}
}

// failed is the finding of a check that came to no end.
func (c Check) failed(ctx context.Context, err error, limit time.Duration) []Finding {
	if err == nil {
		return nil
	}
	detail := err.Error()
	if errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		detail = fmt.Sprintf("no answer within %v", limit)
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		detail = "interrupted"
	}
	return []Finding{{Check: c.Name, Verdict: Fail, Detail: detail, Remedy: c.Remedy}}
}

// Failed counts the findings that fail, and those that warn.
func Failed(all []Finding) (fails, warns int) {
	for _, f := range all {
		switch f.Verdict {
		case Fail:
			fails++
		case Warn:
			warns++
		case OK:
		}
	}
	return fails, warns
}
