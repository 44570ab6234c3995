package runs_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/alert"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A slowHook mails at once, as long as there is time, and calls webhooks that never answer.
type slowHook struct {
	mails []string
	hooks int
}

func (h *slowHook) Tell(ctx context.Context, to alert.Recipient, n alert.Notice) error {
	if to.Type == "email" {
		if ctx.Err() == nil {
			h.mails = append(h.mails, string(n.Kind)+" "+string(n.Step)+" after "+time.Since(n.At).Truncate(time.Minute).String())
		}
		return ctx.Err()
	}
	h.hooks++
	<-ctx.Done()
	return errors.New("no answer")
}

// A webhook that does not answer delays no email, has none sent twice, is given up, and is
// no failure of the sweep.
func TestAWebhookThatDoesNotAnswer(t *testing.T) {
	for _, first := range []string{"email", "webhook"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, nil)
			w.now = time.Now()
			w.apply(func(d *syncdef.Definition, _ *syncdef.Rules) {
				asked := []string{"sync_failure", "high_error_rate"}
				mail := syncdef.Notification{Type: "email", Recipients: []string{"a@b.co"}, Conditions: asked}
				hook := syncdef.Notification{Type: "webhook", Secret: "webhook", Conditions: asked}
				if d.Notifications = []syncdef.Notification{mail, hook}; first == "webhook" {
					d.Notifications = []syncdef.Notification{hook, mail}
				}
			})
			w.vendor.refuses["a"] = true
			w.complete("full", record{"a", 1, 1})
			h := &slowHook{}
			w.sweep.Now, w.sweep.Alerts, w.sweep.Teller = time.Now, w.store, h
			for range 4*60 + 30 {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				w.ok(w.sweep.Run(ctx))
				cancel()
				time.Sleep(time.Until(time.Now().Add(time.Minute).Truncate(time.Minute)))
			}
			want := []string{"run_failed raised after 0s", "error_rate raised after 0s", "error_rate recovered after 0s", "run_failed repeated after 0s"}
			if diff := cmp.Diff(want, h.mails); diff != "" {
				t.Errorf("mailed, %s first (-want +got):\n%s", first, diff)
			}
			book, err := w.store.Alerts(t.Context(), syncName)
			w.ok(err)
			given := 0
			for _, d := range book.Sent {
				if d.Type == "webhook" && d.Failure == "no answer" {
					given++
				}
			}
			if given != 3 || len(book.Outbox) != 1 || h.hooks != 3*alert.MostAttempts+book.Outbox[0].Attempts {
				t.Errorf("%s first: %d given up after %d calls: %+v", first, given, h.hooks, book)
			}
		})
	}
}

// What was sent is stored also where the time of the sweep ends with the sending.
func TestALetterIsStoredAfterTheTime(t *testing.T) {
	w, m := told(t, "", "sync_failure")
	w.vendor.refuses["a"] = true
	w.sweep.Alerts = nil
	w.complete("full", record{"a", 1, 1})
	ctx, cancel := context.WithCancel(t.Context())
	w.sweep.Alerts, w.sweep.Teller = w.store, lastWord{m, cancel}
	w.ok(ignoring(w.sweep.Run(ctx))) // steps that were not taken
	w.sweep.Teller = m
	w.pass(30 * time.Minute)
	m.is(t, "run_failed raised")
}

// A lastWord ends the sweep's time once it has told.
type lastWord struct {
	*mailbox
	end func()
}

func (l lastWord) Tell(ctx context.Context, to alert.Recipient, n alert.Notice) error {
	defer l.end()
	return l.mailbox.Tell(ctx, to, n)
}

// Letters for which a short step has no time are the next one's, and have used no attempt up.
func TestLettersOfAShortStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.now = time.Now()
		w.apply(func(d *syncdef.Definition, _ *syncdef.Rules) {
			for _, to := range []string{"a@b.co", "b@b.co", "c@b.co", "d@b.co", "e@b.co", "f@b.co"} {
				d.Notifications = append(d.Notifications, syncdef.Notification{Type: "email", Recipients: []string{to}, Conditions: []string{"sync_failure"}})
			}
		})
		w.vendor.refuses["a"] = true
		w.complete("full", record{"a", 1, 1})
		m := &slowMail{}
		w.sweep.Now, w.sweep.Alerts, w.sweep.Teller = time.Now, w.store, m
		var book alert.Book
		for range 10 {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			w.ok(ignoring(w.sweep.Run(ctx)))
			cancel()
			var err error
			book, err = w.store.Alerts(t.Context(), syncName)
			w.ok(err)
			for _, l := range book.Outbox {
				if l.Attempts > 0 {
					t.Errorf("%d sent, and a letter that was not tried has %d attempts", m.sent, l.Attempts)
				}
			}
			time.Sleep(time.Minute)
		}
		if m.sent != 6 || m.cut > 0 || len(book.Outbox) > 0 {
			t.Errorf("%d sent, %d cut off, left %+v", m.sent, m.cut, book.Outbox)
		}
	})
}

// slowMail takes 0.9 s a letter.
type slowMail struct{ sent, cut int }

func (m *slowMail) Tell(ctx context.Context, _ alert.Recipient, _ alert.Notice) error {
	select {
	case <-time.After(900 * time.Millisecond):
		m.sent++
		return nil
	case <-ctx.Done():
		m.cut++
		return ctx.Err()
	}
}
