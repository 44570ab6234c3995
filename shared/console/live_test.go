package console

import (
	"bufio"
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/run"
)

// A page's stream sends its content at once, again when it differs, and not when it does
// not; it ends with its server.
func TestStream(t *testing.T) {
	s := full()
	look, looked := make(chan struct{}), make(chan struct{})
	p := serve(t, s, func(ctx context.Context) bool {
		select {
		case looked <- struct{}{}:
		case <-ctx.Done():
			return false
		}
		select {
		case <-look:
			return true
		case <-ctx.Done():
			return false
		}
	})
	p.get(p.c.Open())
	ctx, leave := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+"/run/contacts.r1?live=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := p.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if kind := resp.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Errorf("it is %s", kind)
	}
	events := bufio.NewScanner(resp.Body)
	events.Buffer(nil, 1<<20)
	if first := event(t, events); !strings.Contains(first, "<b>100</b> of 104 settled") || strings.Contains(first, "<html") {
		t.Errorf("the first is %s", first)
	}
	<-looked
	look <- struct{}{}
	if second := event(t, events); second != ": nothing new\n" {
		t.Errorf("the same again is %s", second)
	}
	<-looked
	s.run.Counts.Delivered, s.run.Status = 94, run.Complete
	look <- struct{}{}
	if third := event(t, events); !strings.Contains(third, "<b>104</b> of 104 settled") {
		t.Errorf("what differs is %s", third)
	}
	<-looked
	leave()
	if events.Scan() {
		t.Errorf("it goes on: %s", events.Text())
	}
}

// event reads one event, or one comment.
func event(t *testing.T, lines *bufio.Scanner) string {
	t.Helper()
	text := ""
	for lines.Scan() && lines.Text() != "" {
		text += strings.TrimPrefix(lines.Text(), "data: ") + "\n"
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return text
}

// A carriage return in what others wrote cuts nothing off: a browser reads of an event what
// it reads of the page.
func TestStreamOfCarriageReturns(t *testing.T) {
	ends := regexp.MustCompile(`\r\n|\r|\n`)
	lines := func(text string) (out []string) { // as a browser reads them, without the empty ones
		for _, line := range ends.Split(text, -1) {
			if strings.TrimSpace(line) != "" {
				out = append(out, line)
			}
		}
		return out
	}
	for _, odd := range []string{"cust_1\r", "\rcust", "a\rb", "a\r\rb", "a\r\nb", "a\n\r\r\nb\r", "\r\r"} {
		s := full()
		s.errs.Errors[0].RecordID, s.errs.Errors[0].Message, s.run.Reason = odd, odd, odd
		s.run.Groups[0].Samples[0].RecordID, s.overview.Connections[0].Reason, s.sync.Paused = odd, odd, &run.Pause{By: odd, Reason: odd}
		p := inside(t, s)
		for _, path := range []string{"/", "/errors", "/run/contacts.r1", "/sync/contacts"} {
			_, stream := p.get(path + "?live=1")
			text := ""
			for n, line := range ends.Split(strings.TrimSuffix(stream, "\n\n"), -1) {
				value, ok := strings.CutPrefix(line, "data: ")
				if !ok {
					t.Fatalf("%q, %s: line %d of the event is %q", odd, path, n, line)
				}
				text += value + "\n"
			}
			_, page := p.get(path)
			_, page, _ = strings.Cut(page, `hx-swap="innerMorph">`)
			page, _, _ = strings.Cut(page, "</main>")
			if diff := cmp.Diff(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(strings.Join(lines(page), "\n")), "</div>")), strings.TrimSpace(text)); diff != "" {
				t.Errorf("%q, %s: %s", odd, path, diff)
			}
		}
	}
}

// A stream of a page that is gone ends, so that the browser sees the page's error.
func TestStreamOfWhatIsGone(t *testing.T) {
	s := full()
	p := serve(t, s, func(context.Context) bool { s.run.Run = "another"; return true })
	p.get(p.c.Open())
	if status, body := p.get("/run/contacts.r1?live=1"); status != 200 || !strings.HasPrefix(body, "data: ") {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := p.get("/run/contacts.r1?live=1"); status != 404 {
		t.Errorf("%d", status)
	}
}

// Each of these pages is live; a page that asks is not.
func TestWhichPagesAreLive(t *testing.T) {
	p := inside(t, full())
	for path, want := range map[string]bool{"/": true, "/run/contacts.r1": true, "/sync/contacts": true, "/errors": true, "/errors?after=x": false, "/confirm/reset?sync=contacts": false, "/audit": false} {
		if _, body := p.get(path); strings.Contains(body, "hx-sse:connect") != want {
			t.Errorf("%s: %v", path, !want)
		}
	}
}
