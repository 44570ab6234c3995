package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// logFile is this machine's log, one JSON object a line.
const logFile = "penstock.log"

type logsCmd struct {
	Lines  int    `short:"n" default:"50" help:"How many of the last lines; 0 is all." placeholder:"N"`
	Follow bool   `short:"f" help:"Go on with what is written, until Ctrl-C."`
	JSON   bool   `name:"json" help:"Print the lines as they are written: one JSON object each."`
	Data   string `default:"penstock-data" help:"The folder of this machine's state."`
}

// Run prints the log.
func (c logsCmd) Run(ctx context.Context, s program) error {
	if c.Lines < 0 {
		return usage("--lines %d: 0 is all, any other number at least 1", c.Lines)
	}
	f, err := os.Open(filepath.Join(c.Data, logFile))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no log in %s: name the folder of penstock local, demo, push or sql with --data", c.Data)
	}
	if err != nil {
		return fmt.Errorf("read the log: %w", err)
	}
	defer f.Close()
	r := bufio.NewReader(f)
	var last []string
	var rest string
	for {
		line, err := r.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read the log: %w", err)
		}
		if err != nil { // a line that is still being written
			rest = line
			break
		}
		if last = append(last, line); c.Lines > 0 && len(last) > c.Lines {
			last = last[1:]
		}
	}
	for _, line := range last {
		c.print(s, line)
	}
	if !c.Follow {
		return nil
	}
	return c.follow(ctx, s, r, rest)
}

// follow prints what is written from now on.
func (c logsCmd) follow(ctx context.Context, s program, r *bufio.Reader, rest string) error {
	for {
		line, err := r.ReadString('\n')
		rest += line
		switch {
		case err == nil:
			c.print(s, rest)
			rest = ""
			continue
		case !errors.Is(err, io.EOF):
			return fmt.Errorf("read the log: %w", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// print prints a line: for people the time in their zone, and the rest as name=value.
func (c logsCmd) print(s program, line string) {
	line = strings.TrimRight(line, "\r\n")
	var head struct {
		Time  time.Time `json:"time"`
		Level string    `json:"level"`
		Msg   string    `json:"msg"`
	}
	if c.JSON || json.Unmarshal([]byte(line), &head) != nil {
		fmt.Fprintln(s.out, line)
		return
	}
	text := head.Time.In(s.clock.zone).Format("2006-01-02 15:04:05 MST") + " " + head.Level + " " + head.Msg
	for _, m := range members([]byte(line)) {
		if m.name != "time" && m.name != "level" && m.name != "msg" {
			text += " " + m.name + "=" + m.value
		}
	}
	if head.Level == "ERROR" {
		text = paint(s.out, bad, text)
	}
	fmt.Fprintln(s.out, text)
}

// A member is a named value of a log line.
type member struct{ name, value string }

// members are an object's members in their order, texts without quotes where they
// need none.
func members(object []byte) (out []member) {
	d := jsontext.NewDecoder(bytes.NewReader(object))
	if _, err := d.ReadToken(); err != nil {
		return nil
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return out
		}
		key := name.String()
		value, err := d.ReadValue()
		if err != nil {
			return out
		}
		text := string(value)
		if plain, err := jsontext.AppendUnquote(nil, value); err == nil && !bytes.ContainsAny(plain, " \t\n=\"") && len(plain) > 0 {
			text = string(plain)
		}
		out = append(out, member{key, text})
	}
	return out
}
