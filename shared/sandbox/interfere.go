package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// before carries out what a fault does before handling, and reports whether the
// request is to be handled at all.
func (c *Core) before(w http.ResponseWriter, r *http.Request, f *Fault) bool {
	if !f.AfterCommit {
		f.wait(r)
	}
	if act := c.opts.Actions[f.Action]; act != nil {
		act()
	}
	if f.Status == 0 || f.AfterCommit {
		return true
	}
	f.answer(w)
	return false
}

// after answers a handled request as the fault wants it.
func (f *Fault) after(w http.ResponseWriter, r *http.Request, k *kept) {
	if f.AfterCommit {
		f.wait(r)
	}
	if f.DropAfterCommit && f.Cut == 0 {
		panic(http.ErrAbortHandler) // closes the connection without an answer
	}
	if f.Status != 0 {
		f.answer(w)
		return
	}
	b := f.spoil(k.body.Bytes())
	maps.Copy(w.Header(), k.header)
	for name, value := range f.Headers {
		w.Header().Set(name, value)
	}
	if f.DropAfterCommit {
		w.Header().Set("Content-Length", strconv.Itoa(k.body.Len()))
	}
	w.WriteHeader(k.status)
	w.Write(b) //nolint:errcheck // the client may be gone; there is nobody to tell
	if f.DropAfterCommit {
		http.NewResponseController(w).Flush() //nolint:errcheck // as above
		panic(http.ErrAbortHandler)
	}
}

// wait is over when the client gives up.
func (f *Fault) wait(r *http.Request) {
	if f.DelayMS <= 0 {
		return
	}
	timer := time.NewTimer(time.Duration(f.DelayMS) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	}
}

// answer sends the fault's own answer.
func (f *Fault) answer(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	if f.ContentType != "" {
		w.Header().Set("Content-Type", f.ContentType)
	}
	for name, value := range f.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(f.Status)
	io.WriteString(w, f.Body) //nolint:errcheck // the client may be gone; there is nobody to tell
}

// spoil changes the body of an answer.
func (f *Fault) spoil(b []byte) []byte {
	if f.Shorten > 0 || f.Lengthen > 0 {
		b = resize(b, f.Shorten, f.Lengthen)
	}
	if f.find != nil {
		b = f.find.ReplaceAll(b, []byte(f.Replace))
	}
	switch {
	case f.Cut > 0:
		b = b[:min(f.Cut, len(b))]
	case f.Cut < 0:
		b = b[:max(0, len(b)+f.Cut)]
	}
	return b
}

// resize changes the outermost array of an answer, the first one in an object. What
// has none stays as it is.
func resize(b []byte, shorten, lengthen int) []byte {
	dec := jsontext.NewDecoder(bytes.NewReader(b))
	for dec.PeekKind() != '[' {
		if _, err := dec.ReadToken(); err != nil {
			return b
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return b
	}
	start := int(dec.InputOffset())
	var elements [][]byte
	for dec.PeekKind() != ']' {
		v, err := dec.ReadValue()
		if err != nil {
			return b
		}
		elements = append(elements, bytes.Clone(v))
	}
	end := int(dec.InputOffset())
	elements = elements[:max(0, len(elements)-shorten)]
	for n := len(elements); lengthen > 0 && n > 0; lengthen-- {
		elements = append(elements, elements[n-1])
	}
	out := append(bytes.Clone(b[:start]), bytes.Join(elements, []byte{','})...)
	return append(out, b[end:]...)
}

// kept is an answer that was not sent.
type kept struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (k *kept) Header() http.Header         { return k.header }
func (k *kept) Write(p []byte) (int, error) { return k.body.Write(p) }
func (k *kept) WriteHeader(status int)      { k.status = status }

// DecodeOnly reads a document that nothing may follow.
func DecodeOnly(dec *json.Decoder, into any) error {
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the document")
	}
	return nil
}

// serveFaults is POST, GET and DELETE /_sandbox/faults.
func (c *Core) serveFaults(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPost:
		var f Fault
		dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
		dec.DisallowUnknownFields()
		err := DecodeOnly(dec, &f)
		if err == nil {
			err = c.AddFault(f)
		}
		if err != nil {
			http.Error(w, "not a fault: "+err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	case http.MethodGet:
		reply(w, c.Faults())
	case http.MethodDelete:
		c.ClearFaults()
		w.WriteHeader(http.StatusNoContent)
	default:
		http.Error(w, "POST adds a fault, GET lists them, DELETE clears them", http.StatusMethodNotAllowed)
	}
}
