package dest

import (
	"strings"
	"testing"
	"time"
)

func TestInserted(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tried := Tried{At: at}
	old, recent, since := Candidate{"old", at.Add(-clocks - time.Second)}, Candidate{"recent", at.Add(-clocks)}, Candidate{"since", at}
	later := Candidate{"later", at.Add(time.Hour)}
	for name, c := range map[string]struct {
		tried  Tried
		found  []Candidate
		status Status
		id     string // Delivered: of the record; Unknown: those that the message names
	}{
		"none":                         {tried, nil, Pending, ""},
		"none, no time":                {Tried{}, nil, Pending, ""},
		"there before":                 {tried, []Candidate{old, old, old, old}, Pending, ""},
		"made since":                   {tried, []Candidate{since}, Delivered, "since"},
		"made since, others before":    {tried, []Candidate{old, old, old, old, later}, Delivered, "later"},
		"made shortly before":          {tried, []Candidate{old, recent}, Unknown, "recent"},
		"one shortly before and since": {tried, []Candidate{recent, since}, Unknown, "recent, since"},
		"several since":                {tried, []Candidate{since, later}, Unknown, "since, later"},
		"no time of the attempt":       {Tried{}, []Candidate{old}, Unknown, "old"},
		"no time of the record":        {tried, []Candidate{{ID: "x"}}, Unknown, "x"},
		"more than are named":          {tried, []Candidate{since, later, recent, recent}, Unknown, "since, later, recent"},
	} {
		o := c.tried.Inserted(c.found)
		if o.Status != c.status || o.Status == Delivered && (o.ID != c.id || !o.Created) || o.Status == Unknown && (o.ID != "" || !strings.HasSuffix(o.Message, ": "+c.id)) {
			t.Errorf("%s: %+v", name, o)
		}
	}
}
