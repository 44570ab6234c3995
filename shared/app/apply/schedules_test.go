package apply

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/aws/scheduler"
	"github.com/penstock-data/penstock/shared/syncdef"
)

var noon = time.Date(2026, 1, 5, 12, 0, 30, 0, time.UTC)

func TestEntriesOf(t *testing.T) {
	long := strings.Repeat("a", 63) // the longest name of a sync
	for _, c := range []struct {
		d    syncdef.Definition
		want []scheduler.Entry
	}{
		{syncdef.Definition{Sync: "a", Frequency: "hourly"}, []scheduler.Entry{{Name: "a", Sync: "a", Mode: "incremental", Expression: "cron(0 * * * ? *)", TimeZone: "UTC", Least: time.Hour}}},
		{syncdef.Definition{Sync: "a", Frequency: "0 6 * * 1-5", Schedule: &syncdef.Schedule{TimeZone: "Europe/Berlin", Jitter: "90s", Mode: "full"}},
			[]scheduler.Entry{{Name: "a", Sync: "a", Mode: "full", Expression: "cron(0 6 ? * MON-FRI *)", TimeZone: "Europe/Berlin", Window: 2, Least: 24 * time.Hour}}},
		{syncdef.Definition{Sync: "a", Frequency: "every 15m"}, []scheduler.Entry{{Name: "a", Sync: "a", Mode: "incremental", Expression: "rate(15 minutes)", TimeZone: "UTC",
			Start: time.Date(2026, 1, 5, 12, 15, 0, 0, time.UTC), Least: 15 * time.Minute}}},
		{syncdef.Definition{Sync: long, Frequency: "0 0 13 * 5"}, []scheduler.Entry{
			{Name: long, Sync: long, Mode: "incremental", Expression: "cron(0 0 13 * ? *)", TimeZone: "UTC", Least: 24 * time.Hour},
			{Name: long[:52] + "-7d3e74a0-2", Sync: long, Mode: "incremental", Expression: "cron(0 0 ? * FRI *)", TimeZone: "UTC", Least: 24 * time.Hour}}},
	} {
		got, err := entriesOf(&c.d, noon)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if len(got[i].Name) > 64 {
				t.Errorf("the name %s has %d characters", got[i].Name, len(got[i].Name))
			}
			if i == 1 && len(c.want) == 2 { // by a hash
				c.want[1].Name = c.want[1].Name[:53] + got[1].Name[53:61] + "-2"
			}
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", c.d.Frequency, d)
		}
	}
	if a, b := nameOf(long, 1), nameOf(long[:62]+"b", 1); a == b {
		t.Errorf("two syncs have the entry %s", a)
	}
}
