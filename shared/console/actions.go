package console

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/penstock-data/penstock/shared/app/view"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/row"
)

// Actions act for the person at the page, write it into the audit log, and say what came
// of it. A *row.Refusal changed nothing.
type Actions struct {
	Runs        RunActions
	Syncs       SyncActions
	Connections ConnectionActions
}

// RunActions act on one run.
type RunActions interface {
	// Retry sends a run's open errors again, those that the selector takes; the same token
	// sends them once.
	Retry(ctx context.Context, run string, s runs.Selector, token string) (string, error)
	Cancel(ctx context.Context, run, reason string) (string, error)
}

// SyncActions act on one sync.
type SyncActions interface {
	Pause(ctx context.Context, sync, reason string) (string, error)
	Resume(ctx context.Context, sync string) (string, error)
	// Reset clears its watermark.
	Reset(ctx context.Context, sync string) (string, error)
}

// ConnectionActions act on one connection.
type ConnectionActions interface {
	// Accept lets it deliver to whichever account answers next.
	Accept(ctx context.Context, connection string) (string, error)
}

// A plan is what an action would do, for the page that asks.
type plan struct {
	Title    string
	Says     []string // what happens
	Commands []string // that do the same, without the place's flags
	Button   string   // "": there is nothing to do
	Grave    bool
	Reason   string // the label of the reason that is asked for, "" for none
	Back     string // the page that it is about
}

// An act is what the console can do: prepare says what that would be, and act does it.
type act struct {
	prepare func(c *Console, ctx context.Context, q url.Values) (plan, error)
	act     func(ctx context.Context, a *Actions, q url.Values) (string, error)
}

var acts = map[string]act{
	"retry": {(*Console).prepareRetry, retry},
	"cancel": {(*Console).prepareCancel, func(ctx context.Context, a *Actions, q url.Values) (string, error) {
		return a.Runs.Cancel(ctx, q.Get("run"), reason(q))
	}},
	"pause": {(*Console).preparePause, func(ctx context.Context, a *Actions, q url.Values) (string, error) {
		return a.Syncs.Pause(ctx, q.Get("sync"), reason(q))
	}},
	"resume": {(*Console).prepareResume, func(ctx context.Context, a *Actions, q url.Values) (string, error) {
		return a.Syncs.Resume(ctx, q.Get("sync"))
	}},
	"pause_connection": {(*Console).preparePauseAll, func(ctx context.Context, a *Actions, q url.Values) (string, error) {
		return each(q["only"], func(s string) (string, error) { return a.Syncs.Pause(ctx, s, reason(q)) })
	}},
	"resume_connection": {(*Console).prepareResumeAll, func(ctx context.Context, a *Actions, q url.Values) (string, error) {
		return each(q["only"], func(s string) (string, error) { return a.Syncs.Resume(ctx, s) })
	}},
	"accept": {(*Console).prepareAccept, func(ctx context.Context, a *Actions, q url.Values) (string, error) {
		return a.Connections.Accept(ctx, q.Get("connection"))
	}},
	"reset": {(*Console).prepareReset, func(ctx context.Context, a *Actions, q url.Values) (string, error) {
		return a.Syncs.Reset(ctx, q.Get("sync"))
	}},
}

func reason(q url.Values) string { return strings.TrimSpace(q.Get("reason")) }

// A confirmPage asks.
type confirmPage struct {
	plan
	Act    string
	Fields []field
	CSRF   string
	Flags  string
	Prog   string
}

type field struct{ Name, Value string }

// confirm is the page that asks before anything is done.
func (c *Console) confirm(name string) builder {
	return func(r *http.Request) (shown, error) {
		if c.cfg.Actions == nil {
			return shown{}, row.Refuse("this console shows only")
		}
		q := r.URL.Query()
		p, err := acts[name].prepare(c, r.Context(), q)
		if err != nil {
			return shown{}, err
		}
		s, _ := sessionOf(r.Context())
		page := confirmPage{plan: p, Act: name, CSRF: c.csrf(s), Flags: c.cfg.Flags, Prog: c.cfg.Program}
		q.Set("once", rand.Text())
		for _, key := range []string{"run", "sync", "connection", "ref", "record", "type", "stage", "field", "nofield", "once", "only"} {
			for _, value := range q[key] {
				page.Fields = append(page.Fields, field{key, value})
			}
		}
		return shown{Title: p.Title, Page: "confirm", Body: page}, nil
	}
}

// maxForm is more than any of the forms has.
const maxForm = 1 << 20

// do acts, and leads to what came of it, so that a reload acts no second time.
func (c *Console) do(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			c.refuse(w, r, http.StatusBadRequest, "The form cannot be read.")
			return
		}
		s, _ := sessionOf(r.Context())
		if !same(r.PostForm.Get("csrf"), c.csrf(s)) {
			c.refuse(w, r, http.StatusForbidden, "This form is of another session: open the page again. Nothing was done.")
			return
		}
		if c.cfg.Actions == nil {
			c.fail(w, r, row.Refuse("this console shows only"))
			return
		}
		ctx := context.WithoutCancel(r.Context()) // a page that is left in the middle leaves nothing half done
		p, err := acts[name].prepare(c, ctx, r.PostForm)
		if err != nil {
			c.fail(w, r, err)
			return
		}
		text, err := acts[name].act(ctx, c.cfg.Actions, r.PostForm)
		out := resultPage{Title: p.Title, Text: text, Back: p.Back}
		if err != nil {
			out.Wrong = true
			out.Text = c.wrong(text, err)
		}
		http.Redirect(w, r, "/result/"+c.results.keep(out), http.StatusSeeOther)
	})
}

// wrong says what did not work, after what did.
func (c *Console) wrong(done string, err error) string {
	errs := []error{err}
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		errs = several.Unwrap()
	}
	texts := make([]string, len(errs))
	for i, one := range errs {
		texts[i] = one.Error()
		if refused, ok := errors.AsType[*row.Refusal](one); ok {
			texts[i] = refused.Message
		} else {
			c.cfg.Log.Error("console", slog.String("error", one.Error()))
		}
	}
	text := strings.Join(texts, "; ")
	if done != "" {
		return done + "; but: " + text
	}
	return text
}

// A resultPage says what came of an action.
type resultPage struct {
	Title, Text, Back string
	Wrong             bool
}

// results keeps what came of the last actions, for the pages that show them.
type results struct {
	mu    sync.Mutex
	pages map[string]resultPage
	order []string
}

const keptResults = 100

func (k *results) keep(p resultPage) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.pages == nil {
		k.pages = map[string]resultPage{}
	}
	id := rand.Text()
	k.pages[id] = p
	if k.order = append(k.order, id); len(k.order) > keptResults {
		delete(k.pages, k.order[0])
		k.order = k.order[1:]
	}
	return id
}

func (c *Console) result(r *http.Request) (shown, error) {
	c.results.mu.Lock()
	p, ok := c.results.pages[r.PathValue("id")]
	c.results.mu.Unlock()
	if !ok {
		return shown{}, fmt.Errorf("result: %w", view.ErrNotFound)
	}
	return shown{Title: p.Title, Page: "result", Body: p}, nil
}

// each acts on several syncs or runs, also where one of them is refused.
func each(names []string, do func(name string) (string, error)) (string, error) {
	var said []string
	var errs []error
	for _, name := range names {
		text, err := do(name)
		if text != "" {
			said = append(said, text)
		}
		errs = append(errs, err)
	}
	return strings.Join(said, "; "), errors.Join(errs...)
}
