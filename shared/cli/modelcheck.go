package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	"github.com/penstock-data/penstock/shared/warehouse/duckdb/modelcheck"
)

// Limits of the process that checks models: binding a statement computes its
// constants, which DuckDB's own limits do not bound.
const (
	checkCPU    = 60      // seconds, for all models of a process
	checkMemory = 1 << 30 // bytes
)

// checkModelsCmd is the process that checks models: their texts, a JSON string each,
// come on the standard input, behind the source, and the results go out.
type checkModelsCmd struct{}

// Run answers until the input ends.
func (checkModelsCmd) Run(ctx context.Context, s program) (err error) {
	if err := limitProcess(checkMemory, checkCPU); err != nil {
		return err
	}
	in, out := json.NewDecoder(s.in), json.NewEncoder(s.out)
	var from modelcheck.Source
	if err := in.Decode(&from); err != nil {
		return fmt.Errorf("read what models may select from: %w", err)
	}
	checker, err := modelcheck.Open(ctx, from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, checker.Close()) }()
	for {
		var text string
		if err := in.Decode(&text); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read a model: %w", err)
		}
		r, err := checker.Check(ctx, text)
		if err != nil {
			return err
		}
		if err := out.Encode(r); err != nil {
			return fmt.Errorf("answer: %w", err)
		}
	}
}

// A modelChecker has models checked in a process of its own, which is started when
// it is needed, and anew after a model that ended it.
type modelChecker struct {
	from  modelcheck.Source
	limit time.Duration // for one model

	process *exec.Cmd
	in      io.WriteCloser
	out     *json.Decoder
	said    *bytes.Buffer // on the standard error
}

// check says what a model selects, or why it is refused; a model that takes too long
// or too much is refused. The error says that none can be checked.
func (m *modelChecker) check(ctx context.Context, text string) (r modelcheck.Result, err error) {
	fresh := m.process == nil
	if fresh {
		if err := m.start(); err != nil {
			return r, err
		}
	}
	var late atomic.Bool
	running := m.process.Process
	timer := time.AfterFunc(m.limit, func() { late.Store(true); _ = running.Kill() })
	defer timer.Stop()
	defer context.AfterFunc(ctx, func() { _ = running.Kill() })()
	if encoded := json.NewEncoder(m.in).Encode(text); encoded == nil {
		if err := m.out.Decode(&r); err == nil {
			if !timer.Stop() {
				m.stop() // the answer came as the time was over: the next model has a process of its own
			}
			return r, nil
		}
	}
	said := m.stop()
	refused := func(format string, args ...any) modelcheck.Result {
		return modelcheck.Result{Fault: &modelcheck.Fault{Message: fmt.Sprintf(format, args...), Place: modelcheck.Place{Line: 1, Col: 1}}}
	}
	switch {
	case ctx.Err() != nil:
		return r, ctx.Err()
	case late.Load():
		return refused("the check took longer than %s and was ended; a long constant may be computed: make the model simpler", m.limit), nil
	case outOfMemory(said):
		return refused("the check needed more than %d MB and was ended; a large constant may be computed: make the model simpler", checkMemory>>20), nil
	case fresh && strings.HasPrefix(said, "penstock: "):
		line, _, _ := strings.Cut(strings.TrimPrefix(said, "penstock: "), "\n")
		return r, errors.New(line) // the source cannot be opened, whatever the model
	}
	return refused("the check of this model ended without an answer; make the model simpler"), nil
}

// outOfMemory reports whether a process said that it ended for want of memory.
func outOfMemory(said string) bool {
	said = strings.ToLower(said)
	return strings.Contains(said, "out of memory") || strings.Contains(said, "cannot allocate memory") || strings.Contains(said, "bad_alloc")
}

// start runs this program as the checking process. It gets nothing of the
// environment, where secrets are.
func (m *modelChecker) start() error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	m.said = &bytes.Buffer{}
	m.process = exec.Command(self, "check-models")
	m.process.Args[0] = os.Args[0] // as this process was called
	m.process.Env, m.process.Stderr = []string{"GOTRACEBACK=none"}, m.said
	if m.in, err = m.process.StdinPipe(); err != nil {
		return fmt.Errorf("start the check of models: %w", err)
	}
	out, err := m.process.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start the check of models: %w", err)
	}
	if err := m.process.Start(); err != nil {
		return fmt.Errorf("start the check of models: %w", err)
	}
	m.out = json.NewDecoder(out)
	if err := json.NewEncoder(m.in).Encode(m.from); err != nil {
		return fmt.Errorf("start the check of models: %w", errors.Join(err, errors.New(m.stop())))
	}
	return nil
}

// stop ends the process, where one runs, and gives what it said.
func (m *modelChecker) stop() string {
	if m.process == nil {
		return ""
	}
	m.in.Close()
	_ = m.process.Wait() // how it ended, it said
	m.process = nil
	return m.said.String()
}
