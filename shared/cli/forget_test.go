package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Before anybody agrees, the records that go are named by place: a few of them, in short.
func TestForgetNamesTheRecords(t *testing.T) {
	held := func(id string, change func(*runs.Held)) runs.Held {
		h := runs.Held{ID: id}
		h.Version.Definition = syncdef.Definition{Connection: "crm", Object: "Account", Operation: syncdef.Upsert, Mirror: &syncdef.Mirror{}, OnDelete: syncdef.RemoveDelete}
		h.Version.Rules.Type = "salesforce"
		change(&h)
		return h
	}
	all := []runs.Held{
		held("gone", func(h *runs.Held) { h.Removed = true }),
		held("stays", func(h *runs.Held) { h.Version.Definition.Mirror = nil }),
		held("kept", func(h *runs.Held) { h.Version.Definition.OnDelete = "" }),
		held("foreign", func(h *runs.Held) { h.Version.Rules.Type = "another" }),
		held("", func(h *runs.Held) { h.Version.Definition.OnDelete = syncdef.RemoveClear }),
		held(strings.Repeat("x", 100), func(*runs.Held) {}),
	}
	for n := range 6 {
		all = append(all, held(fmt.Sprint("00", n), func(*runs.Held) {}))
	}
	s := program{known: listed()}
	want := "will clear in Salesforce (crm): Account one whose id is not known\n" +
		"will delete in Salesforce (crm): Account " + strings.Repeat("x", 37) + "..., 000, 001, 002, 003, and 2 more"
	if got := strings.Join(forgetCmd{}.removals(s, all), "\n"); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if got := (forgetCmd{StoredOnly: true}).removals(s, all); got != nil {
		t.Errorf("with --stored-only: %q", got)
	}
}

// cramped is storage that cannot write itself anew.
type cramped struct{}

func (cramped) Shred(context.Context) error { return errors.New("the disk is full") }

// Where copies may be left in the file, the rest is done and told, and the exit code asks for
// the same command again.
func TestForgetTellsOfCopies(t *testing.T) {
	store, err := sqlite.Open("", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	control := machine.Control(store)
	control.Shredder = cramped{}
	var text bytes.Buffer
	s, c, out := program{out: &text}, forgetCmd{Key: "ann@acme.com"}, forgotten{Statements: []string{"DELETE FROM t;"}}
	if err := c.delete(t.Context(), s, control, &out); err != nil || !out.Deleted {
		t.Fatal(err)
	}
	c.tell(s, &out)
	for _, says := range []string{"the disk is full; run the same command again", "DELETE FROM t;"} {
		if said := strings.Join(strings.Fields(text.String()), " "); !strings.Contains(said, says) {
			t.Errorf("it does not say %q: %s", says, said)
		}
	}
	if err := out.verdict(); codeOf(err) != exitRows {
		t.Errorf("it ends with %v", err)
	}
}
