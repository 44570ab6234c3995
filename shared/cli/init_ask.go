package cli

import (
	"bufio"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mattn/go-isatty"
)

// A question is one of init's: what is asked, what may be answered, and what is
// taken when nothing is.
type question struct {
	text    string
	flag    string
	allowed []string // nil is any text
	usual   string
}

// check refuses an answer that is not allowed, and gives the allowed one.
func (q question) check(answer string) (string, error) {
	if len(q.allowed) == 0 {
		if strings.ContainsAny(answer, "\n\r\x00") {
			return "", usage("--%s: one line is wanted", q.flag)
		}
		return answer, nil
	}
	for _, a := range q.allowed {
		if strings.EqualFold(a, answer) {
			return a, nil
		}
	}
	return "", usage("--%s %s: allowed are %s", q.flag, answer, strings.Join(q.allowed, ", "))
}

// An asker asks on a terminal; elsewhere the usual answers are taken.
type asker struct {
	s     program
	asks  bool
	lines chan string // what the person types; closed at the end of the input
}

func newAsker(s program) *asker {
	return &asker{s: s, asks: isatty.IsTerminal(s.in.Fd())}
}

// answer is the flag's value where it is given, else the person's answer, else the
// usual one.
func (a *asker) answer(ctx context.Context, q question, given string) (string, error) {
	if given != "" {
		return q.check(given)
	}
	if !a.asks {
		return q.usual, nil
	}
	choices := ""
	if len(q.allowed) > 0 {
		choices = " (" + strings.Join(q.allowed, ", ") + ")"
	}
	for {
		fmt.Fprintf(a.s.out, "%s%s [%s]: ", q.text, choices, q.usual)
		line, err := a.line(ctx)
		if err != nil {
			return "", err
		}
		if line == "" {
			return q.usual, nil
		}
		if right, err := q.check(line); err == nil {
			return right, nil
		}
		fmt.Fprintln(a.s.out, "Not understood.")
	}
}

// line is the next line that the person types. The end of the input (Ctrl-D) ends the
// command as Ctrl-C does. An interrupt ends the wait; nothing can end the read, which
// dies with the process.
func (a *asker) line(ctx context.Context) (string, error) {
	if a.lines == nil {
		a.lines = make(chan string)
		go func() {
			defer close(a.lines)
			for in := bufio.NewScanner(a.s.in); in.Scan(); {
				a.lines <- in.Text()
			}
		}()
	}
	select {
	case text, more := <-a.lines:
		if more {
			return strings.TrimSpace(text), nil
		}
		a.s.signals.cancel()
	case <-ctx.Done():
	}
	fmt.Fprintln(a.s.out)
	return "", ctx.Err()
}

// keyQuestion asks for one of a file's columns; the first is the usual answer.
func keyQuestion(columns []string) question {
	return question{text: "Key, the column that tells rows apart", flag: "key", usual: columns[0], allowed: slices.Clone(columns)}
}
