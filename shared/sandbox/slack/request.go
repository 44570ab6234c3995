package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/penstock-data/penstock/shared/sandbox"
)

// The scopes that the methods ask for; those of private channels beside them.
const (
	scopeWrite          = "chat:write"
	scopeHistory        = "channels:history"
	scopeRead           = "channels:read"
	scopePrivateHistory = "groups:history"
	scopePrivateRead    = "groups:read"
)

// A failure is an answer with "ok": false; Status is 200 but for rate limits.
type failure struct {
	code       string
	needed     string // missing_scope
	retryAfter int    // seconds; ratelimited
}

func (f *failure) Error() string { return f.code }

// fail is a failure with nothing but a code.
func fail(code string) error { return &failure{code: code} }

// methods are the simulated ones.
func (s *Server) method(name string) func(*http.Request, url.Values) (any, error) {
	switch name {
	case "chat.postMessage":
		return s.postMessage
	case "conversations.history":
		return s.history
	case "conversations.list":
		return s.list
	case "auth.test":
		return s.authTest
	}
	return nil
}

// serve answers one call of a method. Calls are handled one at a time.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	answer, err := s.call(w.Header(), r)
	if err == nil {
		write(w, http.StatusOK, answer)
		return
	}
	var f *failure
	if !errors.As(err, &f) {
		http.Error(w, err.Error(), http.StatusInternalServerError) // the journal failed
		return
	}
	body, status := map[string]any{"ok": false, "error": f.code}, http.StatusOK
	if f.needed != "" {
		body["needed"], body["provided"] = f.needed, strings.Join(s.cfg.Scopes, ",")
	}
	if f.retryAfter > 0 {
		status = http.StatusTooManyRequests
		w.Header().Set("Retry-After", strconv.Itoa(f.retryAfter))
	}
	write(w, status, body)
}

// call checks what all methods have in common, and calls the method. h is the answer's
// header.
func (s *Server) call(h http.Header, r *http.Request) (any, error) {
	method := s.method(r.PathValue("method"))
	if method == nil {
		return nil, fail("unknown_method")
	}
	args, err := arguments(r)
	if err != nil {
		return nil, err
	}
	token := args.Get("token")
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		token = bearer
	}
	switch {
	case token == "":
		return nil, fail("not_authed")
	case token != s.cfg.Token:
		return nil, fail("invalid_auth")
	case s.revoked.Load():
		return nil, fail("token_revoked")
	}
	h.Set("X-OAuth-Scopes", strings.Join(s.cfg.Scopes, ",")) // Slack, "Permission scopes"
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.limits.call(r.PathValue("method"), s.core.Now()); err != nil {
		return nil, err
	}
	return method(r, args)
}

// arguments reads a call's arguments from the query and from a form or JSON body.
// A token is taken from a form or the header only: not from the query, which gets
// into logs, nor from JSON.
func arguments(r *http.Request) (url.Values, error) {
	args := r.URL.Query()
	args.Del("token")
	body, err := sandbox.Body(r)
	if err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	if len(body) == 0 {
		return args, nil
	}
	header := r.Header.Get("Content-Type")
	if header == "" {
		return nil, fail("missing_post_type")
	}
	kind, params, err := mime.ParseMediaType(header)
	if charset := strings.ToLower(params["charset"]); err == nil && charset != "" && charset != "utf-8" {
		return nil, fail("invalid_charset")
	}
	switch kind {
	case "application/x-www-form-urlencoded":
		return args, readForm(body, args)
	case "application/json":
		return args, readJSON(body, args)
	}
	return nil, fail("invalid_post_type")
}

func readForm(body []byte, args url.Values) error {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return fail("invalid_form_data")
	}
	for name, values := range form {
		if strings.ContainsAny(name, "[]") {
			return fail("invalid_array_arg")
		}
		args[name] = append(args[name], values...)
	}
	return nil
}

func readJSON(body []byte, args url.Values) error {
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil {
		return fail("invalid_json")
	}
	for name, raw := range object {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			text = string(raw) // numbers, booleans and objects stay JSON
		}
		if name != "token" {
			args.Set(name, text)
		}
	}
	return nil
}

// need checks that the token has a scope.
func (s *Server) need(scope string) error {
	if !slices.Contains(s.cfg.Scopes, scope) {
		return &failure{code: "missing_scope", needed: scope}
	}
	return nil
}

// flag reads a boolean as Slack takes it.
func flag(v string) bool { return v == "1" || strings.EqualFold(v, "true") }
