package row

import "fmt"

// A Refusal refuses a whole request. Whoever judges a request returns it as an
// error; the wire protocol gives it the status that makes its caller do the right
// thing. Any other error counts as a Failure.
type Refusal struct {
	Kind    RefusalKind
	Message string // what is wrong and how to mend it; no row value and no secret
	Err     error  // the cause, or nil; not shown to the caller
}

// A RefusalKind says what the caller should do.
type RefusalKind uint8

// The kinds of refusal.
const (
	Mistake  RefusalKind = iota // the caller's: the query fails and shows the message
	TooLarge                    // the request or its answer is over a limit: the query fails
	SlowDown                    // too much at once: the caller waits and sends the same again
	Failure                     // ours: the caller sends the same again
)

// Refuse makes a Refusal of kind Mistake.
func Refuse(format string, args ...any) *Refusal {
	return &Refusal{Kind: Mistake, Message: fmt.Sprintf(format, args...)}
}

// Error implements error.
func (r *Refusal) Error() string { return r.Message }

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Err }
