// Package mail simulates how email leaves: Amazon SES API v2 (SendEmail) over HTTP,
// and a mail server over SMTP, into one mailbox that keeps what came. SES refuses
// what it refuses: a sender that is not verified, no recipient, more than 50, an empty
// message, more than its rate; its sandbox, recipients that are not verified. What is
// said of SES stands in its API reference ("SendEmail") and developer guide
// ("Service quotas", "Account sandbox").
package mail

import (
	"encoding/json"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/penstock-data/penstock/shared/sandbox"
)

// Config says whom the simulated account may write to.
type Config struct {
	Verified  []string // senders, by address or domain
	Sandboxed bool     // recipients must be verified too, 1 a second and 200 in 24 hours
	Now       func() time.Time
	Notice    func(line string) // is told of each message; nil tells nobody
}

// A Message is an email that came.
type Message struct {
	By      string    `json:"by"` // ses or smtp
	At      time.Time `json:"at"`
	From    string    `json:"from"`
	To      []string  `json:"to"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
}

// A Mailbox is the simulator. It is safe for concurrent use.
type Mailbox struct {
	cfg     Config
	core    *sandbox.Core
	handler http.Handler

	mu       sync.Mutex
	messages []Message
	sent     []time.Time // recipients of the last day, by SES
}

// maxMessages is how many messages are kept.
const maxMessages = 1000

// New makes an empty mailbox.
func New(cfg Config) (*Mailbox, error) {
	core, err := sandbox.New(sandbox.Options{Now: cfg.Now})
	if err != nil {
		return nil, err
	}
	m := &Mailbox{cfg: cfg, core: core}
	m.handler = core.Wrap(http.HandlerFunc(m.serve))
	return m, nil
}

// Core is what takes faults and counts calls.
func (m *Mailbox) Core() *sandbox.Core { return m.core }

// Close implements sandbox.Simulated.
func (m *Mailbox) Close() error { return m.core.Close() }

// Messages are those that came, the oldest first.
func (m *Mailbox) Messages() []Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.messages)
}

func (m *Mailbox) keep(msg Message) {
	m.messages = append(m.messages, msg)
	if m.cfg.Notice != nil {
		m.cfg.Notice("mail to " + strings.Join(msg.To, ", ") + ": " + msg.Subject)
	}
	if extra := len(m.messages) - maxMessages; extra > 0 {
		m.messages = slices.Delete(m.messages, 0, extra)
	}
}

// ServeHTTP is SES, and the list of what came under /_sandbox/records.
func (m *Mailbox) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.handler.ServeHTTP(w, r) }

func (m *Mailbox) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == sandbox.Prefix+"records" && r.Method == http.MethodGet:
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{"messages": m.Messages()}) //nolint:errcheck // the client may be gone; there is nobody to tell
	case r.URL.Path == "/v2/email/outbound-emails" && r.Method == http.MethodPost:
		m.send(w, r)
	default:
		refuse(w, http.StatusNotFound, "UnknownOperationException", "there is no such operation")
	}
}

// sendEmail is a SendEmail request, as far as it is simulated.
type sendEmail struct {
	FromEmailAddress string
	Destination      struct{ ToAddresses, CcAddresses, BccAddresses []string }
	Content          struct {
		Simple *struct {
			Subject struct{ Data string }
			Body    struct{ Text, Html *struct{ Data string } } //nolint:revive,staticcheck // SES's name
		}
	}
}

func (m *Mailbox) send(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ") {
		refuse(w, http.StatusForbidden, "MissingAuthenticationTokenException", "Missing Authentication Token")
		return
	}
	var in sendEmail
	body, err := sandbox.Body(r)
	if err != nil || json.Unmarshal(body, &in) != nil {
		refuse(w, http.StatusBadRequest, "SerializationException", "the body is no JSON")
		return
	}
	to := slices.Concat(in.Destination.ToAddresses, in.Destination.CcAddresses, in.Destination.BccAddresses)
	simple := in.Content.Simple
	switch {
	case simple == nil || simple.Subject.Data == "" || simple.Body.Text == nil && simple.Body.Html == nil:
		refuse(w, http.StatusBadRequest, "BadRequestException", "a simple message needs a subject and a body")
		return
	case len(to) == 0 || len(to) > 50:
		refuse(w, http.StatusBadRequest, "BadRequestException", "between 1 and 50 recipients")
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if code, why, status := m.refusal(in.FromEmailAddress, to); code != "" {
		refuse(w, status, code, why)
		return
	}
	text := ""
	if simple.Body.Text != nil {
		text = simple.Body.Text.Data
	}
	now := m.core.Now()
	for range to {
		m.sent = append(m.sent, now)
	}
	m.keep(Message{By: "ses", At: now, From: in.FromEmailAddress, To: to, Subject: simple.Subject.Data, Text: text})
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]string{"MessageId": now.Format("20060102150405.000000000")}) //nolint:errcheck // as above
}

// refusal says why SES would not send; m.mu is held.
func (m *Mailbox) refusal(from string, to []string) (code, text string, status int) {
	for _, a := range append([]string{from}, to...) {
		if parsed, err := mail.ParseAddress(a); err != nil || parsed.Address == "" {
			return "BadRequestException", "an address is not valid", http.StatusBadRequest
		}
	}
	if !m.verified(from) {
		return "MessageRejected", "Email address is not verified", http.StatusBadRequest
	}
	if !m.cfg.Sandboxed {
		return "", "", 0
	}
	if i := slices.IndexFunc(to, func(a string) bool { return !m.verified(a) }); i >= 0 {
		return "MessageRejected", "Email address is not verified", http.StatusBadRequest
	}
	now := m.core.Now()
	m.sent = slices.DeleteFunc(m.sent, func(at time.Time) bool { return now.Sub(at) >= 24*time.Hour })
	second := 0
	for _, at := range m.sent {
		if now.Sub(at) < time.Second {
			second++
		}
	}
	switch {
	case second+len(to) > 1 && second > 0:
		return "TooManyRequestsException", "Maximum sending rate exceeded.", http.StatusTooManyRequests
	case len(m.sent)+len(to) > 200:
		return "LimitExceededException", "Daily message quota exceeded.", http.StatusBadRequest
	}
	return "", "", 0
}

func (m *Mailbox) verified(address string) bool {
	parsed, err := mail.ParseAddress(address)
	if err != nil {
		return false
	}
	_, domain, _ := strings.Cut(parsed.Address, "@")
	return slices.ContainsFunc(m.cfg.Verified, func(v string) bool {
		return strings.EqualFold(v, parsed.Address) || strings.EqualFold(v, domain)
	})
}

// refuse answers as SES does: the type of the error in a header.
func refuse(w http.ResponseWriter, status int, code, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("x-amzn-ErrorType", code)
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"message": text}) //nolint:errcheck // as above
}
