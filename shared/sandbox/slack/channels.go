package slack

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// A Channel is a conversation of the simulated workspace.
type Channel struct {
	ID       string // C024BE91L
	Name     string // without #
	Private  bool
	Archived bool // posting answers is_archived
	Outside  bool // the bot is no member: not_in_channel (channel_not_found when private)
}

// channelJSON is a channel as conversations.list answers it.
type channelJSON struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Private  bool   `json:"is_private"`
	Archived bool   `json:"is_archived"`
	Member   *bool  `json:"is_member"`
}

// ReadChannels reads {"channels": [{"id", "name", "is_private", "is_archived",
// "is_member"}]}: an answer of conversations.list, saved. Without an id one is made
// of the name; without is_member the bot is a member.
func ReadChannels(r io.Reader) ([]Channel, error) {
	channels, _, err := readWorkspace(r)
	return channels, err
}

// channelsShape is what readWorkspace reads, for people.
const channelsShape = `{"channels": [{"name": "alerts"}]}`

// readWorkspace is ReadChannels with the token's "scopes", nil where the file has none.
func readWorkspace(r io.Reader) (_ []Channel, scopes []string, _ error) {
	var file struct {
		Channels []channelJSON `json:"channels"`
		Scopes   []string      `json:"scopes"`
	}
	if err := sandbox.DecodeOnly(json.NewDecoder(r), &file); err != nil {
		return nil, nil, fmt.Errorf("read the simulated Slack's channels: %w", sandbox.NamesFault(err, channelsShape))
	}
	if len(file.Channels) == 0 && file.Scopes == nil {
		return nil, nil, errors.New("read the simulated Slack's channels: there are none: write " + channelsShape)
	}
	out := make([]Channel, len(file.Channels))
	for i, c := range file.Channels {
		out[i] = Channel{ID: c.ID, Name: strings.TrimPrefix(c.Name, "#"), Private: c.Private, Archived: c.Archived, Outside: c.Member != nil && !*c.Member}
		if out[i].ID == "" {
			out[i].ID = idOf(out[i].Name)
		}
		if err := out[i].check(); err != nil {
			return nil, nil, fmt.Errorf("read the simulated Slack's channels: channels[%d]: %w", i, err)
		}
	}
	return out, file.Scopes, nil
}

// The forms of ids and names. A name has at most 80 letters, digits, hyphens and
// underscores, and no capitals (Slack, "conversations.create", "Naming").
var (
	idForm   = regexp.MustCompile(`^[CG][A-Z0-9]{8,11}$`)
	nameForm = regexp.MustCompile(`^[\p{Ll}\p{Lo}\p{N}_-]{1,80}$`)
)

func (c Channel) check() error {
	if c.ID == "" || !nameForm.MatchString(c.Name) {
		return fmt.Errorf("a channel needs an id, and a name of lower-case letters, digits, - and _")
	}
	return nil
}

// idOf makes an id of a name, always the same.
func idOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return "C0" + base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:])[:9]
}

// The columns of channelTable.
const (
	columnID = iota
	columnName
	columnPrivate
	columnArchived
	columnOutside
)

var channelTable = records.Spec{Name: "channels", Columns: []records.Column{
	{Name: "id", Indexed: true}, {Name: "name", Indexed: true}, {Name: "is_private"}, {Name: "is_archived"}, {Name: "is_outside"},
}}

// putChannel makes a channel, or changes what it is.
func (s *Server) putChannel(c Channel) {
	yes := func(v bool) []byte {
		if v {
			return []byte("1")
		}
		return nil
	}
	t := s.store.Table(channelTable.Name)
	row := records.NewRow
	if there := t.Find(nil, columnID, []byte(c.ID)); len(there) > 0 {
		row = there[0]
		if s.channel(row) == c {
			return
		}
	}
	s.store.Writer().Put(t, row, s.core.Now(), []records.Change{
		{Column: columnID, Text: []byte(c.ID)}, {Column: columnName, Text: []byte(c.Name)},
		{Column: columnPrivate, Text: yes(c.Private)}, {Column: columnArchived, Text: yes(c.Archived)}, {Column: columnOutside, Text: yes(c.Outside)},
	})
}

// channel reads a row of channelTable.
func (s *Server) channel(row int) Channel {
	t := s.store.Table(channelTable.Name)
	return Channel{
		ID: string(t.Get(row, columnID)), Name: string(t.Get(row, columnName)),
		Private: !t.Null(row, columnPrivate), Archived: !t.Null(row, columnArchived), Outside: !t.Null(row, columnOutside),
	}
}

// channels lists all, in the order of their making.
func (s *Server) channels() []channelJSON {
	var out []channelJSON
	for _, row := range s.store.Table(channelTable.Name).Select(nil) {
		c := s.channel(row)
		member := !c.Outside
		out = append(out, channelJSON{ID: c.ID, Name: c.Name, Private: c.Private, Archived: c.Archived, Member: &member})
	}
	return out
}

// find finds a channel by the text of a column.
func (s *Server) find(column int, text string) (Channel, bool) {
	if text == "" {
		return Channel{}, false
	}
	rows := s.store.Table(channelTable.Name).Find(nil, column, []byte(text))
	if len(rows) == 0 {
		return Channel{}, false
	}
	return s.channel(rows[0]), true
}

// byID finds a channel by its id alone.
func (s *Server) byID(id string) (Channel, error) {
	c, ok := s.find(columnID, id)
	if !ok && s.cfg.AcceptChannels && idForm.MatchString(id) {
		return s.accept(Channel{ID: id, Name: strings.ToLower(id)})
	}
	if !ok {
		return Channel{}, fail("channel_not_found")
	}
	return c, nil
}

// byIDOrName finds a channel by id, name or #name.
func (s *Server) byIDOrName(given string) (Channel, error) {
	name := strings.TrimPrefix(given, "#")
	if c, ok := s.find(columnName, name); ok {
		return c, nil
	}
	if s.cfg.AcceptChannels && nameForm.MatchString(name) {
		return s.accept(Channel{ID: idOf(name), Name: name})
	}
	return s.byID(given)
}

// accept makes a channel that nobody had heard of, and says so the first time. The
// name may be a row's, so that it is not told.
func (s *Server) accept(c Channel) (Channel, error) {
	if !s.said && s.cfg.Say != nil {
		s.said = true
		s.cfg.Say("the simulated Slack makes the channels that are asked for, the first as " + c.ID + "; a real one answers channel_not_found")
	}
	s.putChannel(c)
	if err := s.store.Writer().Commit(); err != nil {
		return Channel{}, fmt.Errorf("keep a channel: %w", err)
	}
	return c, nil
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
