package console

import (
	"embed"
	"net/http"
)

//go:embed static
var static embed.FS

//go:embed templates
var templates embed.FS

// assets are the same for everybody and hold nothing of the state: they need no session.
// Browsers ask again each time, so that a new program's pages have its own styles.
func assets() http.Handler {
	files := http.FileServerFS(static)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.URL.Path) > 0 && r.URL.Path[len(r.URL.Path)-1] == '/' { // no listings
			http.NotFound(w, r)
			return
		}
		files.ServeHTTP(w, r)
	})
}
