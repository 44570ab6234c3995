// Package sim is the card file in memory, as strict as its documentation would be:
//
//	GET /v1/me                      {"account":"acct_7"}
//	PUT /v1/drawers/{drawer}/cards  {"cards":[{"key":"...","fields":{...}}]}, at most 50
//	                                {"results":[{"ok":true,"id":"1","created":true},...]}
//
//	DELETE /v1/drawers/{drawer}/cards  the same body, without fields: {"results":[{"ok":true,"id":"1"},{"ok":false,"code":"not_found"}]}
//
// Every request carries a bearer token. A card's key is compared without outer
// white space and case; a text of more than 1,000 characters is refused (too_long),
// and so is a colour that is not a text (bad_colour). A null removes a field.
package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/penstock-data/penstock/shared/sandbox"
)

// Sandbox is this simulator as a value.
var Sandbox = sandbox.Simulator{
	Type: "cardfile", Title: "Card File", Secret: map[string]string{"token": token},
	Open: func(s sandbox.Settings) (sandbox.Simulated, error) { return New(s) },
}

const token = "cards-penstock-sandbox"

// maxCards and maxText are the service's.
const (
	maxCards = 50
	maxText  = 1000
)

// A Server is one account's cards.
type Server struct {
	core    *sandbox.Core
	handler http.Handler

	mu    sync.Mutex
	cards map[string]*Card // by folded key
	made  int              // cards so far
}

// A Card is a card: its fields as JSON, or text without quotes.
type Card struct {
	ID     string
	Key    string
	Fields map[string]string
}

// New makes an account without cards.
func New(s sandbox.Settings) (*Server, error) {
	core, err := sandbox.New(sandbox.Options{Now: s.Now})
	if err != nil {
		return nil, err
	}
	server := &Server{core: core, cards: map[string]*Card{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/me", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]string{"account": "acct_7"})
	})
	mux.HandleFunc("PUT /v1/drawers/{drawer}/cards", server.change(server.write))
	mux.HandleFunc("DELETE /v1/drawers/{drawer}/cards", server.change(server.remove))
	server.handler = core.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token {
			reply(w, http.StatusUnauthorized, map[string]string{"error": "no such token"})
			return
		}
		mux.ServeHTTP(w, r)
	}))
	return server, nil
}

// ServeHTTP serves the API and the control paths.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Core is the shared half: faults and call counts.
func (s *Server) Core() *sandbox.Core { return s.core }

// Close does nothing: all is in memory.
func (s *Server) Close() error { return s.core.Close() }

// Count is how many cards there are.
func (s *Server) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.cards)
}

// Card finds one by its key; nil when there is none.
func (s *Server) Card(key string) *Card {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cards[fold(key)]
}

func fold(key string) string { return strings.ToLower(strings.TrimSpace(key)) }

type card struct {
	Key    string                     `json:"key"`
	Fields map[string]json.RawMessage `json:"fields"`
}

// change serves a list of cards, one after the other.
func (s *Server) change(each func(*http.Request, card) map[string]any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { s.each(w, r, each) }
}

func (s *Server) each(w http.ResponseWriter, r *http.Request, each func(*http.Request, card) map[string]any) {
	if drawer := r.PathValue("drawer"); drawer != "main" && drawer != "customers" {
		reply(w, http.StatusNotFound, map[string]string{"error": "no such drawer"})
		return
	}
	var in struct {
		Cards []card `json:"cards"`
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil || len(in.Cards) == 0 || len(in.Cards) > maxCards {
		reply(w, http.StatusUnprocessableEntity, map[string]string{"error": "1 to 50 cards"})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	results := make([]map[string]any, len(in.Cards))
	for n, c := range in.Cards {
		results[n] = each(r, c)
	}
	reply(w, http.StatusOK, map[string]any{"results": results})
}

// write writes one card, or says why not, quoting it as services do.
func (s *Server) write(r *http.Request, c card) map[string]any {
	refuse := func(code, field string) map[string]any {
		return map[string]any{"ok": false, "code": code, "field": field, "message": fmt.Sprintf("card %s: %s is not taken", c.Key, c.Fields[field])}
	}
	if code, message, fail := s.core.FailRecord(r, c.Key); fail {
		return map[string]any{"ok": false, "code": code, "message": message}
	}
	for name, value := range c.Fields {
		var text string
		isText := json.Unmarshal(value, &text) == nil
		switch {
		case isText && utf8.RuneCountInString(text) > maxText:
			return refuse("too_long", name)
		case name == "colour" && !isText:
			return refuse("bad_colour", name)
		}
	}
	stored, there := s.cards[fold(c.Key)]
	if !there {
		s.made++
		stored = &Card{ID: fmt.Sprint(s.made), Key: strings.TrimSpace(c.Key), Fields: map[string]string{}}
		s.cards[fold(c.Key)] = stored
	}
	for name, value := range c.Fields {
		var text string
		switch {
		case string(value) == "null":
			delete(stored.Fields, name)
		case json.Unmarshal(value, &text) == nil:
			stored.Fields[name] = text
		default:
			stored.Fields[name] = string(value)
		}
	}
	return map[string]any{"ok": true, "id": stored.ID, "created": !there}
}

// remove removes one card.
func (s *Server) remove(r *http.Request, c card) map[string]any {
	if code, message, fail := s.core.FailRecord(r, c.Key); fail {
		return map[string]any{"ok": false, "code": code, "message": message}
	}
	stored, there := s.cards[fold(c.Key)]
	if !there {
		return map[string]any{"ok": false, "code": "not_found", "message": "there is no card " + c.Key}
	}
	delete(s.cards, fold(c.Key))
	return map[string]any{"ok": true, "id": stored.ID}
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client went away
}
