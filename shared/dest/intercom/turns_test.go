package intercom_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/sandbox"
)

// hanging answers as the simulator does, but for the calls that begin so, which hang until
// their caller gives up, or until they are let go.
type hanging struct {
	w      *world
	begins string
	letGo  chan struct{}

	mu   sync.Mutex
	hung int
}

func (h *hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := sandbox.Body(r)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(r.Method+" "+r.URL.Path+" "+string(body), h.begins) {
		h.mu.Lock()
		h.hung++
		h.mu.Unlock()
		select {
		case <-h.letGo:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	inner := r.Clone(r.Context())
	inner.Body = sandbox.RequestBody(body)
	rec := httptest.NewRecorder()
	h.w.record(rec, inner)
	return rec.Result(), nil
}

func (h *hanging) calls() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.hung
}

// A call that makes a tag or an attribute and hangs holds up the rows that need what it
// makes, each until its own deadline, and no other row: not the one whose tag is known, nor
// the one that makes another. What it has made is not made again.
func TestHangingCallHoldsItsNameOnly(t *testing.T) {
	for name, c := range map[string]struct {
		begins string
		row    func(w *world, key, value string) dest.Record
	}{
		"tag": {`POST /tags {"name":"risk_new"}`, func(w *world, key, value string) dest.Record {
			return w.rec(key, "tags", `["risk_`+value+`"]`)
		}},
		"attribute": {`POST /data_attributes {"model":"contact","data_type":"float","name":"new"}`, func(w *world, key, value string) dest.Record {
			return w.rec(key, "custom_attributes", `{"`+value+`":1}`)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, with(byEmail(), `{"managed_tags":["risk_"],"create_attributes":true}`, tagged, flat))
			synctest.Test(t, func(t *testing.T) {
				h := &hanging{w: w, begins: c.begins, letGo: make(chan struct{})}
				w.t, w.cfg.HTTP = t, &http.Client{Transport: h}
				w.restart()
				same(t, []string{"created"}, shorts(w.push(c.row(w, "first@acme.example", "known"))))
				push := func(key, value string, patience time.Duration) <-chan string {
					done := make(chan string, 1)
					ctx, cancel := context.WithTimeout(context.Background(), patience)
					b := dest.Batch{Records: []dest.Record{c.row(w, key, value)}}
					go func() {
						defer cancel()
						out, err := w.dest.Push(ctx, b, dest.Call{Records: []int{0}})
						if err != nil {
							done <- "failed"
							return
						}
						done <- short(out[0])
					}()
					synctest.Wait()
					return done
				}
				slow := push("a@acme.example", "new", 20*time.Second)
				brief := push("b@acme.example", "new", time.Second)
				waits := push("c@acme.example", "new", time.Minute)
				before := time.Now()
				if got := <-push("d@acme.example", "known", time.Minute); got != "created" {
					t.Errorf("what is known: %s", got)
				}
				if got := <-push("e@acme.example", "other", time.Minute); got != "created" {
					t.Errorf("what is made beside it: %s", got)
				}
				if waited := time.Since(before); waited > 0 {
					t.Errorf("they waited %v", waited)
				}
				if got := <-brief; got != "failed" || time.Since(before) != time.Second {
					t.Errorf("who gives up: %s after %v", got, time.Since(before))
				}
				if got := <-slow; got != "failed" || time.Since(before) != 20*time.Second {
					t.Errorf("whose call it is: %s after %v", got, time.Since(before))
				}
				synctest.Wait()
				last := push("f@acme.example", "new", time.Minute)
				if n := h.calls(); n != 2 { // at a time one
					t.Errorf("%d calls hung", n)
				}
				close(h.letGo)
				if got := []string{<-waits, <-last}; !slices.Equal(got, []string{"created", "created"}) || h.calls() != 2 {
					t.Errorf("what was made: %v, %d calls", got, h.calls())
				}
			})
		})
	}
}
