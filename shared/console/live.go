package console

import (
	"bytes"
	"crypto/sha256"
	"log/slog"
	"net/http"
)

// stream sends a page's content as server-sent events: at once, and again at each waking
// at which it differs. It ends with the page, with the server, or where the state cannot
// be read; the browser then asks again.
func (c *Console) stream(w http.ResponseWriter, r *http.Request, build builder, p shown) {
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	var last [sha256.Size]byte
	for {
		body, err := c.content(p)
		if err != nil {
			c.cfg.Log.Error("console", slog.String("page", p.Page), slog.String("error", err.Error()))
			return
		}
		event := []byte(": nothing new\n\n") // finds out that the browser went away
		if sum := sha256.Sum256(body); sum != last {
			last, event = sum, data(body)
		}
		if _, err := w.Write(event); err != nil {
			return
		}
		if err := out.Flush(); err != nil {
			return
		}
		if !c.cfg.Wake(r.Context()) {
			return
		}
		if p, err = build(r); err != nil {
			if !gone(r, err) {
				c.cfg.Log.Error("console", slog.String("path", r.URL.Path), slog.String("error", err.Error()))
			}
			return
		}
	}
}

// data is an event of these lines. A carriage return ends a line in an event as it does in
// HTML, so that one in a text of somebody's is a line's end here too, and cuts nothing off.
func data(body []byte) []byte {
	var b bytes.Buffer
	b.Grow(len(body) + len(body)/16)
	for line := range bytes.FieldsFuncSeq(body, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		b.WriteString("data: ")
		b.Write(line)
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	return b.Bytes()
}
