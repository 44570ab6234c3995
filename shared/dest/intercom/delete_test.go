package intercom_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// removing is a world whose deleted rows are removed so.
func removing(t *testing.T, def syncdef.Definition, how syncdef.Removal) *world {
	t.Helper()
	def.OnDelete = how
	return newWorld(t, def)
}

// A contact that the sync archived is taken out of the archive when its row comes back,
// though on_archived is report; one that somebody else archived is not.
func TestArchivedByTheSyncComesBack(t *testing.T) {
	w := removing(t, byExternalID(), syncdef.RemoveArchive)
	id := w.seed(`{"role":"user","external_id":"c-1"}`)[0]
	gone := w.rec("c-1")
	gone.ID, gone.Delete = id, true
	if o := w.deliver(gone)[0]; o.Status != dest.Delivered || !w.sim.Contact("c-1").Archived {
		t.Fatalf("%+v", o)
	}
	back := w.rec("c-1", "name", `"Ada"`)
	if o := w.deliver(back)[0]; o.Status != dest.Rejected || o.Code != "contact_archived" {
		t.Errorf("archived by somebody: %+v", o)
	}
	back.Removed = true
	if o := w.deliver(back)[0]; o.Status != dest.Delivered || o.ID != id || w.sim.Contact("c-1").Archived || w.sim.Contact("c-1").Values["name"] != "Ada" {
		t.Errorf("archived by the sync: %+v, %+v", o, w.sim.Contact("c-1"))
	}
}

// A contact that was merged into another one is gone; the other one is not removed.
func TestRemovalFollowsNoMerge(t *testing.T) {
	for _, how := range []syncdef.Removal{syncdef.RemoveArchive, syncdef.RemoveDelete, syncdef.RemoveClear} {
		w := removing(t, byExternalID(), how)
		ids := w.seed(`{"role":"user","external_id":"c-1","name":"One"}`, `{"role":"user","external_id":"c-2","name":"Two"}`)
		w.sim.Merge(ids[0], ids[1])
		for _, known := range []string{ids[0], ""} {
			gone := w.rec("c-1", "name", `null`)
			gone.ID, gone.Delete = known, true
			if o := w.deliver(gone)[0]; o.Status != dest.Delivered {
				t.Errorf("%s: %+v", how, o)
			}
		}
		if c := w.sim.Contact("c-2"); c == nil || c.Archived || c.Values["name"] != "Two" {
			t.Errorf("%s: the other contact is %+v", how, c)
		}
	}
}

// Clearing takes off the managed tags and leaves the others.
func TestClearTakesTagsOff(t *testing.T) {
	def := with(byExternalID(), `{"managed_tags":["risk_"]}`, syncdef.Field{Source: "tags", Destination: "tags", Type: syncdef.JSON})
	w := removing(t, def, syncdef.RemoveClear)
	w.deliver(w.rec("c-1", "name", `"Ada"`, "note", `"n"`, "tags", `["risk_high"]`))
	id := w.sim.Contact("c-1").ID
	w.api("POST", "/tags", `{"name":"vip"}`)
	w.api("POST", "/tags", fmt.Sprintf(`{"name":"vip","users":[{"id":%q}]}`, id))
	gone := w.rec("c-1", "name", `null`, "note", `null`, "tags", `null`)
	gone.ID, gone.Delete = id, true
	o := w.deliver(gone)[0]
	c := w.sim.Contact("c-1")
	if o.Status != dest.Delivered || c.Values["name"] != "" || c.Values["note"] != "" || slices.ContainsFunc(c.Tags, func(s string) bool { return strings.HasPrefix(s, "risk_") }) {
		t.Errorf("%+v, %+v", o, c)
	}
}
