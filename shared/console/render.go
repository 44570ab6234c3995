package console

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"sync/atomic"

	"github.com/penstock-data/penstock/shared/app/view"
	"github.com/penstock-data/penstock/shared/row"
)

// A shown page is a template's name and what it is filled with.
type shown struct {
	Title   string
	Page    string // the template, without its ending
	Section string // of the menu
	Live    bool   // its content is sent again when it differs
	Body    any
}

// frame is what the layout is filled with.
type frame struct {
	shown
	Stream string // where its changes come from, "" for nowhere
	Where  string
	Inside bool // somebody who was let in sees it
}

// A pageSet is the templates of a page; length is a little more than it had last, so that
// writing it moves nothing.
type pageSet struct {
	*template.Template
	length atomic.Int64
}

// parse reads the templates: each page is a set of its own with the layout and the parts.
func (c *Console) parse() error {
	c.sets = map[string]*pageSet{}
	names, err := fs.Glob(templates, "templates/*.html")
	if err != nil {
		return fmt.Errorf("list the templates: %w", err)
	}
	for _, name := range names {
		page := strings.TrimSuffix(path.Base(name), ".html")
		if page == "layout" || page == "parts" {
			continue
		}
		set, err := template.New("layout.html").Funcs(c.funcs()).ParseFS(templates, "templates/layout.html", "templates/parts.html", name)
		if err != nil {
			return fmt.Errorf("read the templates: %w", err)
		}
		c.sets[page] = &pageSet{Template: set.Option("missingkey=error")}
	}
	return nil
}

// content is a page without its frame: what is sent again while it is live.
func (c *Console) content(p shown) ([]byte, error) { return c.execute(p.Page, "content", p.Body) }

// whole is a page with its frame.
func (c *Console) whole(r *http.Request, p shown) ([]byte, error) {
	f := frame{shown: p, Where: c.cfg.Where}
	if _, f.Inside = sessionOf(r.Context()); f.Inside && p.Live {
		q := r.URL.Query()
		q.Set("live", "1")
		f.Stream = r.URL.Path + "?" + q.Encode()
	}
	return c.execute(p.Page, "layout.html", f)
}

func (c *Console) execute(page, name string, data any) ([]byte, error) {
	set := c.sets[page]
	if set == nil {
		return nil, fmt.Errorf("there is no page %q", page)
	}
	var b bytes.Buffer
	b.Grow(int(set.length.Load()))
	if err := set.ExecuteTemplate(&b, name, data); err != nil {
		return nil, fmt.Errorf("write the page %s: %w", page, err)
	}
	set.length.Store(int64(b.Len() + b.Len()/8))
	return b.Bytes(), nil
}

// write sends a page.
func (c *Console) write(w http.ResponseWriter, r *http.Request, status int, p shown) {
	body, err := c.whole(r, p)
	if err != nil {
		c.cfg.Log.Error("console", slog.String("page", p.Page), slog.String("error", err.Error()))
		http.Error(w, "The page cannot be written.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the browser went away
}

// A told is a page that says one thing.
type told struct{ Head, Text string }

// refuse says why there is no page.
func (c *Console) refuse(w http.ResponseWriter, r *http.Request, status int, text string) {
	c.write(w, r, status, shown{Title: http.StatusText(status), Page: "told", Body: told{http.StatusText(status), text}})
}

// fail says what went wrong: what is not there, what was asked wrongly, or what cannot be
// read.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, err error) {
	var refused *row.Refusal
	switch {
	case gone(r, err):
	case errors.Is(err, view.ErrNotFound):
		c.refuse(w, r, http.StatusNotFound, "There is nothing under this address: it was removed or has expired, or the address is mistyped.")
	case errors.As(err, &refused):
		c.refuse(w, r, http.StatusBadRequest, refused.Message)
	default:
		c.cfg.Log.Error("console", slog.String("path", r.URL.Path), slog.String("error", err.Error()))
		c.refuse(w, r, http.StatusInternalServerError, "The state cannot be read: "+err.Error())
	}
}

// A builder makes a page of a request.
type builder func(r *http.Request) (shown, error)

// page answers a page, or its changes where these are asked for.
func (c *Console) page(build builder) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := build(r)
		switch {
		case err != nil:
			c.fail(w, r, err)
		case p.Live && r.URL.Query().Get("live") != "":
			c.stream(w, r, build, p)
		default:
			c.write(w, r, http.StatusOK, p)
		}
	})
}
