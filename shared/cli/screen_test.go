package cli

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/penstock-data/penstock/shared/app/view"
	"github.com/penstock-data/penstock/shared/freshness"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
)

// cet is a zone with a name of its own.
var cet = time.FixedZone("CET", 3600)

func TestWhen(t *testing.T) {
	now := time.Date(2026, 11, 25, 13, 6, 0, 0, time.UTC)
	c := clock{now: func() time.Time { return now }, zone: cet}
	for age, want := range map[time.Duration]string{
		3 * time.Minute:        "2026-11-25 14:03 CET, 3 min ago",
		500 * time.Millisecond: "2026-11-25 14:05 CET, just now",
		59 * time.Second:       "2026-11-25 14:05 CET, 59 s ago",
		47 * time.Hour:         "2026-11-23 15:06 CET, 47 h ago",
		48 * time.Hour:         "2026-11-23 14:06 CET, 2 days ago",
		-10 * time.Minute:      "2026-11-25 14:16 CET, in 10 min",
	} {
		if got := c.when(now.Add(-age)); got != want {
			t.Errorf("%s: %q, want %q", age, got, want)
		}
	}
	if got := c.when(time.Time{}); got != "never" {
		t.Errorf("no time is %q", got)
	}
	if got := c.local("down since 2026-11-25T13:00:00Z, until 2026-11-25T13:07:00Z at least"); got != "down since 2026-11-25 14:00 CET (6 min ago), until 2026-11-25 14:07 CET (in 1 min) at least" {
		t.Error(got)
	}
}

func TestScreenOf(t *testing.T) {
	for env, want := range map[string]screen{
		"LANG=de_DE.UTF-8":                       {terminal: true, boxes: true, colour: true},
		"LANG=de_DE.UTF-8 NO_COLOR=1":            {terminal: true, boxes: true},
		"LANG=de_DE.UTF-8 TERM=dumb":             {},
		"LANG=de_DE.UTF-8 LC_ALL=C":              {terminal: true, colour: true},
		"LANG=de_DE.UTF-8 LC_CTYPE=C":            {terminal: true, colour: true},
		"LC_ALL=C.utf8":                          {terminal: true, boxes: true, colour: true},
		"TERM=xterm":                             {terminal: true, colour: true},
		"LC_ALL=en_US.ISO-8859-1 LANG=C.UTF-8":   {terminal: true, colour: true},
		"LC_ALL= LC_CTYPE=en_US.UTF-8 NO_COLOR=": {terminal: true, boxes: true, colour: true},
	} {
		vars := map[string]string{}
		for _, v := range strings.Fields(env) {
			name, value, _ := strings.Cut(v, "=")
			vars[name] = value
		}
		if got := screenFor(func(name string) string { return vars[name] }); got != want {
			t.Errorf("%s: %+v, want %+v", env, got, want)
		}
	}
}

func TestBoxesAndColours(t *testing.T) {
	for _, c := range []struct {
		screen
		box, text string
	}{
		{screen{}, "+---+", "failed"},
		{screen{boxes: true, colour: true}, "┌───┐", "\x1b[31mfailed\x1b[0m"},
	} {
		var b bytes.Buffer
		out := &printer{Writer: &b, screen: c.screen, gone: new(atomic.Bool)}
		newTable(out, table.Row{"a"}).Render()
		if !strings.Contains(b.String(), c.box) {
			t.Errorf("%+v prints\n%s", c.screen, b.String())
		}
		if got := paint(out, bad, "failed"); got != c.text {
			t.Errorf("%+v paints %q", c.screen, got)
		}
	}
}

// brokenPipe is an output whose reader went away.
type brokenPipe struct{ writes int }

func (p *brokenPipe) Write([]byte) (int, error) {
	p.writes++
	return 0, &errnoError{syscall.EPIPE}
}

type errnoError struct{ error }

func (e *errnoError) Unwrap() error { return e.error }

// A closed pipe ends the command as Ctrl-C does, once, and is no error of its own.
func TestClosedPipe(t *testing.T) {
	left := 0
	p := &printer{Writer: &brokenPipe{}, gone: new(atomic.Bool), left: func() { left++ }}
	for range 2 {
		if n, err := io.WriteString(p, "text"); n != 4 || err != nil {
			t.Errorf("wrote %d, %v", n, err)
		}
	}
	if left != 1 || !p.gone.Load() {
		t.Errorf("told %d times", left)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// A full disk is remembered, for commands that print without looking.
func TestFullDisk(t *testing.T) {
	p := &printer{Writer: fullDisk{}, gone: new(atomic.Bool)}
	for range 2 {
		if _, err := io.WriteString(p, "text"); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("wrote with %v", err)
		}
	}
	if lost := p.lost.Load(); lost == nil || !errors.Is(*lost, syscall.ENOSPC) || p.gone.Load() {
		t.Errorf("remembered %v", lost)
	}
}

func TestCodeOf(t *testing.T) {
	rows := rowsError{errors.New("rows")}
	for _, c := range []struct {
		err  error
		want int
	}{{nil, 0}, {errors.New("x"), 1}, {usage("x"), 2}, {rows, 3}, {errors.Join(rows, errors.New("x")), 1}, {errors.Join(nil, rows), 3}} {
		if got := codeOf(c.err); got != c.want {
			t.Errorf("%v: %d, want %d", c.err, got, c.want)
		}
	}
}

// What status prints fits 80 columns, tells times in the local zone, and says why a
// run waits.
func TestPrintStatus(t *testing.T) {
	now := time.Date(2026, 11, 25, 13, 6, 0, 0, time.UTC)
	var b bytes.Buffer
	s := program{out: &b, clock: clock{now: func() time.Time { return now }, zone: cet}}
	s.printStatus(runs.SyncStatus{
		Sync: "sf_health", Version: "v0123456789ab", AppliedAt: now.Add(-26 * time.Hour), Connection: "salesforce_prod",
		Paused: "since 2026-11-25T13:00:00Z, until 2026-11-25T13:08:00Z at least: log in: the secret is absent: set PENSTOCK_SECRET_SALESFORCE_PROD", SetUp: true,
		Watermark: `"2026-11-25 12:59:00"`, WatermarkType: "timestamp",
		Runs: []runs.RunStatus{
			{Run: run.Run{ID: "sf_health.r0123456789abcdef", Status: run.Finishing, BegunAt: now.Add(-3 * time.Minute), Counts: run.Counts{Received: 1200, Queued: 1190, Rejected: 10}},
				Waits: `1190 rows, which connection "salesforce_prod" holds up since 2026-11-25T13:00:00Z, until 2026-11-25T13:08:00Z at least: log in`},
			{Run: run.Run{ID: "sf_health.r1123456789abcdef", Status: run.Complete, Outcome: run.Partial, BegunAt: now.Add(-time.Hour), Counts: run.Counts{Received: 3, Delivered: 1, Failed: 2}}, Due: 1, Retried: 1},
		},
	}, &view.Row{
		Health: view.HighErrorRate, LastSuccess: now.Add(-time.Hour), WarnAfter: 2 * time.Hour, StaleAfter: 4 * time.Hour, LastRun: &view.Line{}, SuccessRate: 0.667, RowsPerSecond: 1.5,
		Records: 2, Previous: 130, AlertMessage: "Record count anomaly: sf_health synced 2 records vs 130 previous", Alerts: []view.Alert{{Kind: "count_anomaly", Since: now.Add(-time.Minute)}},
		Destination: &freshness.Reading{AsOf: now.Add(-10 * time.Minute), Figures: freshness.Figures{Total: freshness.N(130), Updated1h: freshness.N(2), Newest: &now}},
	}, 2)
	golden(t, "status.txt", b.String())
	for line := range strings.Lines(b.String()) {
		if len(line) > widest+1 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
}

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares a text with a file below testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// Control characters in what others wrote do nothing to a terminal: they are shown. Our own
// colours, line ends and tabs stay, and what no terminal shows is written as it is.
func TestControlCharactersAreShown(t *testing.T) {
	for text, want := range map[string]string{
		"plain\ttext\n":              "plain\ttext\n",
		"größe 日本 \u00a0\n":          "größe 日本 \u00a0\n",
		"cust_1\r":                   `cust_1\r`,
		"a\x1b[2Jb\x07\x00\x7f":      `a\x1b[2Jb\a\x00\x7f`,
		"a\u009b2Jb":                 `a\u009b2Jb`,
		"\x1b]0;title\x07":           `\x1b]0;title\a`,
		"\x1b[31mfailed\x1b[0m\n":    "\x1b[31mfailed\x1b[0m\n",
		"\x1b[8mhidden \x1b[31;8mm ": `\x1b[8mhidden \x1b[31;8mm `,
	} {
		var b bytes.Buffer
		p := &printer{Writer: &b, screen: screen{terminal: true, colour: true}, person: true, gone: new(atomic.Bool)}
		if n, err := p.Write([]byte(text)); n != len(text) || err != nil || b.String() != want {
			t.Errorf("%q is %q, want %q; %d, %v", text, b.String(), want, n, err)
		}
		b.Reset()
		p.person = false
		if _, err := p.Write([]byte(text)); err != nil || b.String() != text {
			t.Errorf("%q is %q in a file; %v", text, b.String(), err)
		}
	}
	if got := onBar("waits\r\x1b[2J for it"); got != `waits\r\x1b[2J for it` {
		t.Error(got)
	}
}
