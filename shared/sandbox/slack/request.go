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

// serve answers one call of a method.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	answer, err := s.call(r)
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

// call checks what all methods have in common, and calls the method.
func (s *Server) call(r *http.Request) (any, error) {
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
	switch token {
	case "":
		return nil, fail("not_authed")
	case s.cfg.Token:
		return method(r, args)
	default:
		return nil, fail("invalid_auth")
	}
}

// arguments reads a call's arguments from the query and from a form or JSON body.
// JSON carries no token: Slack wants it in the header then.
func arguments(r *http.Request) (url.Values, error) {
	args := r.URL.Query()
	body, err := sandbox.Body(r)
	if err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case len(body) == 0:
		return args, nil
	case kind == "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, fail("invalid_form_data")
		}
		for k, v := range form {
			args[k] = append(args[k], v...)
		}
		return args, nil
	case kind == "application/json":
		var object map[string]json.RawMessage
		if json.Unmarshal(body, &object) != nil {
			return nil, fail("invalid_json")
		}
		for k, raw := range object {
			var text string
			if json.Unmarshal(raw, &text) != nil {
				text = string(raw) // numbers, booleans and objects stay JSON
			}
			if k != "token" {
				args.Set(k, text)
			}
		}
		return args, nil
	}
	return nil, fail("invalid_post_type")
}

// need checks that the token has a scope.
func (s *Server) need(scope string) error {
	if !slices.Contains(s.cfg.Scopes, scope) {
		return &failure{code: "missing_scope", needed: scope}
	}
	return nil
}

// byID finds a channel by its id alone.
func (s *Server) byID(id string) (Channel, error) {
	i := slices.IndexFunc(s.cfg.Channels, func(c Channel) bool { return c.ID == id })
	if i < 0 {
		return Channel{}, fail("channel_not_found")
	}
	return s.cfg.Channels[i], nil
}

// byIDOrName finds a channel by id, name or #name.
func (s *Server) byIDOrName(given string) (Channel, error) {
	name := strings.TrimPrefix(given, "#")
	i := slices.IndexFunc(s.cfg.Channels, func(c Channel) bool { return c.ID == given || c.Name == name })
	if i < 0 {
		return Channel{}, fail("channel_not_found")
	}
	return s.cfg.Channels[i], nil
}

// member checks that the bot is in a channel; a private one it cannot even see.
func member(c Channel) error {
	switch {
	case c.Outside && c.Private:
		return fail("channel_not_found")
	case c.Outside:
		return fail("not_in_channel")
	}
	return nil
}

// flag reads a boolean as Slack takes it.
func flag(v string) bool { return v == "1" || strings.EqualFold(v, "true") }
