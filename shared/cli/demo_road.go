package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/secretfile"
)

// A road is the gateway, the queue and the workers, wherever they run.
type road interface {
	url() string
	crash(ctx context.Context) error // ends it without warning and starts it again
	stop() error
}

// quiet is how long after its last batch the demo closes a query's run.
const quiet = time.Second

// embedded is a road in this process.
type embedded struct {
	place *place
}

func newEmbedded(ctx context.Context, g *errgroup.Group, d *demo) (road, error) {
	c := localCmd{Data: d.dir, Listen: "127.0.0.1:0", Syncs: d.cmd.Syncs, Quiet: quiet, Bare: true, Faster: faster}
	p, err := c.startWith(ctx, d.s, d.note, d.box)
	if err != nil {
		return nil, err
	}
	p.run(ctx, g)
	return &embedded{p}, nil
}

func (e *embedded) url() string { return e.place.machine.URL }
func (e *embedded) crash(context.Context) error {
	return errors.New("a road in this process cannot be killed")
}

func (e *embedded) stop() error {
	e.place.cancel()
	<-e.place.ended
	return e.place.log.Close()
}

// child is a road in a process of its own, which can be killed.
type child struct {
	dir     string
	args    []string
	env     []string
	address string

	mu  sync.Mutex
	cmd *exec.Cmd
	in  io.Closer // the child ends with it, also when this process is killed
	err bytes.Buffer
}

func newChild(ctx context.Context, d *demo) (road, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // a free port that stays the same after the kill
	if err != nil {
		return nil, fmt.Errorf("find a port: %w", err)
	}
	address := l.Addr().String()
	l.Close()
	c := &child{
		dir: d.dir, address: address, env: append(os.Environ(), "PENSTOCK_TOKEN="), // the demo's own gateway asks for none
		args: []string{"local", "--bare", "--leash", "--data", d.dir, "--listen", address, "--syncs", d.cmd.Syncs, "--quiet", quiet.String(), "--faster", strconv.Itoa(faster)},
	}
	d.box.Each(func(sim sandbox.Simulator, url string) { c.args = append(c.args, "--endpoint", sim.Type+"="+url) })
	set, err := loadFolder(d.cmd.Syncs, d.s.known.kinds())
	if err != nil {
		return nil, err
	}
	for _, connection := range set.Connections {
		secret, err := json.Marshal(d.box.Secret(connection.Type))
		if err != nil {
			return nil, fmt.Errorf("encode a simulator's secret: %w", err)
		}
		c.env = append(c.env, secretfile.Variable(cmp.Or(connection.Secret, connection.Name))+"="+string(secret))
	}
	return c, c.start(ctx)
}

// remember says where the demo's rows go: to simulators of its own. A folder whose
// rows are somewhere else is refused.
func (d *demo) remember() (err error) {
	if d.note, err = readNote(d.dir); err != nil {
		return err
	}
	for _, kind := range d.s.known.names() {
		if was := d.note.To[kind]; was != "" && was != ownSimulator {
			return fmt.Errorf("the rows of %s go to %s (%s), and the demo has simulators of its own: give another --data", d.dir, was, kind)
		}
		d.note.To[kind] = ownSimulator
	}
	return nil
}

func (c *child) url() string { return "http://" + c.address }

// start runs the process and waits until its gateway answers.
func (c *child) start(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err.Reset()
	c.cmd = exec.Command(self, c.args...)
	c.cmd.Args[0] = os.Args[0] // as this process was called
	c.cmd.Env, c.cmd.Stdout, c.cmd.Stderr = c.env, io.Discard, &c.err
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return fmt.Errorf("start the road: %w", err)
	}
	if err := c.cmd.Start(); err != nil {
		return fmt.Errorf("start the road: %w", err)
	}
	for range 200 {
		if answers(ctx, c.url()) {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), c.kill())
		case <-time.After(50 * time.Millisecond):
		}
	}
	if err := c.kill(); err != nil {
		return err
	}
	return fmt.Errorf("the road did not start within 10 s; see %s: %s", filepath.Join(c.dir, "penstock.log"), c.err.String())
}

func (c *child) crash(ctx context.Context) error {
	if err := c.stop(); err != nil {
		return err
	}
	return c.start(ctx)
}

// stop kills the process: SIGKILL, so that it cannot tidy up.
func (c *child) stop() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kill()
}

func (c *child) kill() error {
	if err := c.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill the road: %w", err)
	}
	_ = c.cmd.Wait() // it was killed
	return nil
}
