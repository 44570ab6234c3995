package alert

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Book is what is stored of a sync's alerts: which are open, and which notices are
// on their way. Revision grows with every change; 0 where nothing is stored.
type Book struct {
	Sync     string     `json:"sync"`
	Open     []Open     `json:"open,omitempty"`
	Outbox   []Letter   `json:"outbox,omitempty"`
	Sent     []Delivery `json:"sent,omitempty"` // the last ones, newest last
	Revision int64      `json:"revision"`
}

// A Letter is a notice to one recipient.
type Letter struct {
	Notice   Notice    `json:"notice"`
	To       Recipient `json:"to"`
	Attempts int       `json:"attempts"` // begun so far, each stored before it is made
	Next     time.Time `json:"next"`     // not before
	Failure  string    `json:"failure,omitempty"`
}

// A Recipient is where a notice goes.
type Recipient struct {
	Type       string   `json:"type"`                 // email, webhook, or a destination type that posts messages
	Addresses  []string `json:"addresses,omitempty"`  // of an email
	Connection string   `json:"connection,omitempty"` // that posts
	Channel    string   `json:"channel,omitempty"`    // where it posts to
	Secret     string   `json:"secret,omitempty"`     // of a webhook: the name of the one that holds address and key
}

// ID names a notice to a recipient: equal for the same step of the same alert.
func (l Letter) ID() string {
	n := l.Notice
	to := append([]string{l.To.Type, l.To.Connection, l.To.Channel, l.To.Secret}, l.To.Addresses...)
	return strings.Join(append(to, string(n.Kind), string(n.Step), n.Since.UTC().Format(time.RFC3339), strconv.Itoa(n.Times)), " ")
}

// A Delivery records a letter that was sent, or given up.
type Delivery struct {
	At      time.Time `json:"at"`
	Kind    Kind      `json:"kind"`
	Step    Step      `json:"step"`
	Type    string    `json:"type"`              // of the recipient
	Failure string    `json:"failure,omitempty"` // why it was given up, "" when it was sent
}

// Bounds of a book, so that it stays a small item.
const (
	mostSent     = 50
	MaxFailure   = 200    // characters of a failure's text
	mostOutbox   = 40_000 // bytes of letters, so that no stored item passes 100 KB
	MostAttempts = 8      // about two hours
	leastRetry   = time.Minute
	mostRetry    = time.Hour
)

// A Subscription is one entry of a definition's notifications.
type Subscription struct {
	To         Recipient
	Conditions []string
}

// Post adds the notices to the outbox of the book, for everybody who wants them. What
// would make the book too large, while nothing can be sent for long, is given up and
// recorded.
func (b *Book) Post(notices []Notice, subs []Subscription, open []Open) {
	b.Open = open
	size := 0
	for _, l := range b.Outbox {
		size += l.size()
	}
	for _, n := range notices {
		for _, s := range subs {
			if !Wanted(s.Conditions, n.Kind) {
				continue
			}
			l := Letter{Notice: n, To: s.To, Next: n.At}
			if size += l.size(); size > mostOutbox {
				size -= l.size()
				b.record(l, n.At, "too many notices wait to be sent")
				continue
			}
			b.Outbox = append(b.Outbox, l)
		}
	}
}

// size is about how many bytes a letter takes in the stored book.
func (l Letter) size() int {
	text, _ := json.Marshal(l) // of texts, numbers and times, which marshal always
	return len(text) + MaxFailure
}

// Due takes up the letters that may be tried at now: their attempts are counted and
// their next one put off, so that the book can be stored before they are sent. A
// sweeper that dies after that tries them again, and no sooner; one whose attempts are used
// up is given up.
func (b *Book) Due(now time.Time) (due []Letter) {
	b.Outbox = slices.DeleteFunc(b.Outbox, func(l Letter) bool {
		spent := l.Attempts >= MostAttempts && !l.Next.After(now)
		if spent {
			b.record(l, now, cmp.Or(l.Failure, "it is not known whether it was sent"))
		}
		return spent
	})
	for i := range b.Outbox {
		l := &b.Outbox[i]
		if l.Next.After(now) {
			continue
		}
		l.Attempts++
		l.Next = now.Add(min(leastRetry<<(l.Attempts-1), mostRetry))
		due = append(due, *l)
	}
	return due
}

// PutBack gives letters that Due took up, and for which there was no time, their attempt back:
// they are due as they were.
func (b *Book) PutBack(untried []Letter, now time.Time) {
	for _, l := range untried {
		if i := b.find(l); i >= 0 {
			b.Outbox[i].Attempts, b.Outbox[i].Next = l.Attempts-1, now
		}
	}
}

func (b *Book) find(l Letter) int {
	return slices.IndexFunc(b.Outbox, func(o Letter) bool { return o.ID() == l.ID() })
}

// Settle records what became of letters that Due took up; a failure that may be
// tried again stays in the outbox until MostAttempts.
func (b *Book) Settle(l Letter, now time.Time, failure string) {
	failure = cut(failure)
	i := b.find(l)
	if i < 0 {
		return
	}
	if failure != "" && l.Attempts < MostAttempts {
		b.Outbox[i].Failure = failure
		return
	}
	b.Outbox = slices.Delete(b.Outbox, i, i+1)
	b.record(l, now, failure)
}

// record keeps what became of a letter.
func (b *Book) record(l Letter, now time.Time, failure string) {
	b.Sent = append(b.Sent, Delivery{At: now, Kind: l.Notice.Kind, Step: l.Notice.Step, Type: l.To.Type, Failure: failure})
	if extra := len(b.Sent) - mostSent; extra > 0 {
		b.Sent = slices.Delete(b.Sent, 0, extra)
	}
}

// cut shortens a failure's text to MaxFailure characters.
func cut(text string) string {
	if r := []rune(text); len(r) > MaxFailure {
		return string(r[:MaxFailure-1]) + "…"
	}
	return text
}
