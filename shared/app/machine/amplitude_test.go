package machine_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/app/apptest"
	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/amplitude"
	"github.com/penstock-data/penstock/shared/sandbox"
	amplitudesim "github.com/penstock-data/penstock/shared/sandbox/amplitude"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// Rows that are pushed to one machine's gateway reach the simulated project: 999 in
// one call, and one that stands for nobody is a stored error.
func TestUsersOnOneMachine(t *testing.T) {
	known := []dest.Vendor{amplitude.Vendor}
	set, err := yamlfile.Load("../../dest/amplitude/testdata/syncs", dest.Kinds(known))
	if err != nil {
		t.Fatal(err)
	}
	box, err := machine.NewSandbox(machine.SandboxConfig{Simulators: []sandbox.Simulator{amplitudesim.Sandbox}, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	lines := apptest.NewLog()
	m, err := machine.New(machine.Config{
		Dir: t.TempDir(), Vendors: known, Endpoints: box.Endpoints,
		Secret: func(context.Context, string, string) (map[string]string, error) {
			return amplitudesim.Sandbox.Secret, nil
		},
		Log: slog.New(slog.NewTextHandler(lines, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	one := set.Syncs[0]
	if _, err := m.Runs.Apply(t.Context(), syncdef.NewVersion(one.Definition, one.Rules, time.Now()), one.Connection); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() { ended <- box.Run(ctx) }()
	go func() { ended <- m.Run(ctx) }()

	const n = 1000
	rows := make([][]string, n)
	for i := range rows {
		id := fmt.Sprintf("cust_%04d", i)
		if i == 500 {
			id = "unknown"
		}
		rows[i] = []string{`"amplitude_usage"`, fmt.Sprintf(`{"CUSTOMER_ID":%q,"DAILY_ACTIVE_USERS":%d,"FEATURE_ADOPTION":0.5,"API_CALLS_TREND":"marked-%d-value","FIRST_PLAN":null,"UPDATED_AT":"2024-01-15T10:40:00Z"}`, id, i, i)}
	}
	run := apptest.PostRows(t, m.URL, rows...)
	for {
		<-lines.Told // something was done
		got, err := m.Runs.Status(t.Context(), run)
		if err != nil || len(got.Runs) != 1 {
			t.Fatalf("%+v, %v", got, err)
		}
		if c := got.Runs[0].Counts; c.Delivered+c.Failed == n {
			if c.Failed != 1 {
				t.Errorf("%+v", c)
			}
			break
		}
	}
	s := box.Simulated["amplitude"].(*amplitudesim.Server)
	if got := s.User("cust_0999"); s.Count() != n-1 || got == nil || string(got.Properties["daily_active_users"]) != "999" {
		t.Errorf("%d users, the last %+v", s.Count(), got)
	}
	if calls := s.Core().Calls().Total; calls > 4 { // a lane's messages by themselves at worst
		t.Errorf("%d calls for %d rows", calls, n)
	}
	stop()
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if log := lines.String(); strings.Contains(log, "marked-") || strings.Contains(log, "cust_0") || strings.Contains(log, amplitudesim.Sandbox.Secret["api_key"]) {
		t.Errorf("the log holds a row's value or the key:\n%s", log)
	}
}
