package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/penstock-data/penstock/shared/wire/gateway"
)

// Runtime runs one built bootstrap as a process of its own and serves it Lambda's
// Runtime API (AWS documentation, "Using the Lambda runtime API"): one execution
// environment, one invocation at a time.
type Runtime struct {
	server *http.Server
	cmd    *exec.Cmd
	exited chan struct{}

	turn    sync.Mutex // one invocation at a time
	next    chan invocation
	answers chan answer
	ready   chan struct{} // closed at the first poll
	polled  sync.Once
	count   int
}

type invocation struct {
	id       string
	deadline time.Time
	payload  []byte
}

type answer struct {
	id   string
	body []byte
	err  error
}

// ErrExited is returned, wrapped, by Invoke when the process has ended.
var ErrExited = errors.New("the function's process ended")

// StartRuntime starts the binary with env (NAME=value) and waits for its first
// poll. Its log goes to stderr of this process through w.
func StartRuntime(ctx context.Context, binary string, env []string, w io.Writer) (*Runtime, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the runtime API: %w", err)
	}
	r := &Runtime{next: make(chan invocation), answers: make(chan answer, 1), ready: make(chan struct{}), exited: make(chan struct{})}
	r.server = &http.Server{Handler: r.api(), ReadHeaderTimeout: time.Minute}
	go r.server.Serve(listener) //nolint:errcheck // ends with Close
	r.cmd = exec.Command(binary)
	r.cmd.Env = append(env, "AWS_LAMBDA_RUNTIME_API="+listener.Addr().String(), "AWS_LAMBDA_FUNCTION_NAME="+binary,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "PATH="+os.Getenv("PATH"))
	r.cmd.Stdout, r.cmd.Stderr = w, w
	if err := r.cmd.Start(); err != nil {
		r.server.Close()
		return nil, fmt.Errorf("start %s: %w", binary, err)
	}
	go func() {
		_ = r.cmd.Wait() // how it ended is in its log
		close(r.exited)
	}()
	select {
	case <-r.ready:
		return r, nil
	case <-r.exited:
		err = fmt.Errorf("start %s: %w before it asked for work", binary, ErrExited)
	case <-ctx.Done():
		err = fmt.Errorf("start %s: %w", binary, ctx.Err())
	}
	r.Close()
	return nil, err
}

// Close ends the process and the API.
func (r *Runtime) Close() {
	_ = r.cmd.Process.Kill() // it may have ended already
	<-r.exited
	r.server.Close()
}

// Invoke hands a payload to the process and waits for its answer.
func (r *Runtime) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	r.turn.Lock()
	defer r.turn.Unlock()
	r.count++
	in := invocation{id: strconv.Itoa(r.count), payload: payload, deadline: time.Now().Add(time.Minute)}
	if end, ok := ctx.Deadline(); ok {
		in.deadline = end
	}
	select {
	case r.next <- in:
	case <-r.exited:
		return nil, ErrExited
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for {
		select {
		case a := <-r.answers:
			if a.id == in.id { // else it answers an invocation that was given up
				return a.body, a.err
			}
		case <-r.exited:
			return nil, ErrExited
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (r *Runtime) api() http.Handler {
	const base = "/2018-06-01/runtime/"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+base+"invocation/next", r.serveNext)
	mux.HandleFunc("POST "+base+"invocation/{id}/{kind}", r.serveAnswer)
	mux.HandleFunc("POST "+base+"init/error", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	return mux
}

func (r *Runtime) serveNext(w http.ResponseWriter, req *http.Request) {
	r.polled.Do(func() { close(r.ready) })
	select {
	case in := <-r.next:
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", in.id)
		w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(in.deadline.UnixMilli(), 10))
		w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:local:000000000000:function:local")
		_, _ = w.Write(in.payload) // a process that died is seen by Invoke
	case <-req.Context().Done():
	}
}

func (r *Runtime) serveAnswer(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(io.LimitReader(req.Body, 7<<20))
	a := answer{id: req.PathValue("id"), body: body}
	switch {
	case err != nil:
		a.err = fmt.Errorf("read the function's answer: %w", err)
	case req.PathValue("kind") == "error":
		a.err = fmt.Errorf("the function failed: %s", strings.TrimSpace(string(body)))
	case len(body) > gateway.MaxEvent:
		a.err = fmt.Errorf("the function answered %d bytes, more than 6 MB", len(body))
	}
	select {
	case r.answers <- a:
	case <-req.Context().Done():
	}
	w.WriteHeader(http.StatusAccepted)
}
