package cli

import (
	"errors"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/mattn/go-isatty"
)

// A screen is what the output can show. The zero value is a pipe or a file: plain
// ASCII without colour, and nothing that moves.
type screen struct {
	terminal bool // a person is looking, and lines may be overwritten
	boxes    bool // it draws lines and other characters beyond ASCII
	colour   bool
}

// screenOf reads what a terminal can do from its environment: TERM=dumb overwrites
// and colours nothing, NO_COLOR (no-color.org) asks for no colour, and a locale that
// is not UTF-8 has no boxes (LC_ALL before LC_CTYPE before LANG, as in POSIX).
func screenOf(f *os.File, getenv func(string) string) screen {
	if !isatty.IsTerminal(f.Fd()) {
		return screen{}
	}
	return screenFor(getenv)
}

// screenFor is what the terminal of an environment can do.
func screenFor(getenv func(string) string) screen {
	dumb := getenv("TERM") == "dumb"
	s := screen{terminal: !dumb, colour: !dumb && getenv("NO_COLOR") == ""}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToUpper(getenv(name)); locale != "" {
			s.boxes = !dumb && (strings.Contains(locale, "UTF-8") || strings.Contains(locale, "UTF8"))
			break
		}
	}
	return s
}

// A printer is where a command writes, and what that can show. When whoever reads it
// went away (head, a pager), it says so once, and swallows the rest: the command
// ends as after Ctrl-C, with nothing half done. A full disk fails the command, whether
// or not it looks at what its writes answer.
type printer struct {
	io.Writer
	screen
	person bool         // a terminal shows what is written, and acts on control characters
	gone   *atomic.Bool // the reader went away
	left   func()       // called when it is noticed
	lost   atomic.Pointer[error]
}

// printerOf prints to a file of the process; left is called when its reader went away.
func printerOf(f *os.File, gone *atomic.Bool, left func()) *printer {
	return &printer{Writer: f, screen: screenOf(f, os.Getenv), person: isatty.IsTerminal(f.Fd()), gone: gone, left: left}
}

// Write implements io.Writer. What others wrote, such as a record's id or a vendor's
// message, moves nothing on a terminal: its control characters are shown as what they are.
func (p *printer) Write(b []byte) (int, error) {
	if !p.person {
		return p.pass(b)
	}
	n, err := p.pass(tame(b))
	if err == nil {
		n = len(b)
	}
	return min(n, len(b)), err
}

// A mover writes to a printer what moves the cursor of a terminal: a bar.
type mover struct{ p *printer }

// Write implements io.Writer.
func (m mover) Write(b []byte) (int, error) { return m.p.pass(b) }

// pass hands bytes on as they are.
func (p *printer) pass(b []byte) (int, error) {
	n, err := p.Writer.Write(b)
	if !errors.Is(err, syscall.EPIPE) {
		if err != nil {
			p.lost.CompareAndSwap(nil, &err)
		}
		return n, err
	}
	if p.gone.CompareAndSwap(false, true) && p.left != nil {
		p.left()
	}
	return len(b), nil
}

// controls finds control characters, but line ends and tabs; the colours of paint are found,
// too, to be left alone.
var controls = regexp.MustCompile(`\x1b\[(?:0|` + good + `|` + warning + `|` + bad + `)m|[\x00-\x08\x0b-\x1f\x7f\x{80}-\x{9f}]`)

// tame writes control characters as Go does: \x1b, \r.
func tame(b []byte) []byte {
	return controls.ReplaceAllFunc(b, func(found []byte) []byte {
		if len(found) > 2 {
			return found
		}
		quoted := strconv.Quote(string(found))
		return []byte(quoted[1 : len(quoted)-1])
	})
}

// screenOn is what a writer can show.
func screenOn(w io.Writer) screen {
	if p, ok := w.(*printer); ok {
		return p.screen
	}
	return screen{}
}

// terminal reports whether a person may be looking.
func terminal(w io.Writer) bool { return screenOn(w).terminal }

// dot parts the words of a line.
func dot(w io.Writer) string {
	if screenOn(w).boxes {
		return " · "
	}
	return ", "
}

// The colours of an outcome; the text says the same without them.
const (
	good    = "32"
	warning = "33"
	bad     = "31"
)

// paint colours a text where the writer shows colours.
func paint(w io.Writer, colour, text string) string {
	if !screenOn(w).colour || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}
