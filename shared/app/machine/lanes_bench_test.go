package machine

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/salesforce"
	salesforcesim "github.com/penstock-data/penstock/shared/sandbox/salesforce"
)

// BenchmarkLanes is 100,000 rows to a simulated vendor that takes 50 ms for a call of
// 200: from the first request to the last row at the vendor, by the sync's lanes.
// With 16 of them it takes a third of what one takes at most, whatever the machine:
// lanes act here as they do on AWS.
func BenchmarkLanes(b *testing.B) {
	took := map[int]time.Duration{}
	for _, lanes := range []int{1, 4, 16} {
		b.Run(fmt.Sprintf("lanes=%d", lanes), func(b *testing.B) {
			for b.Loop() {
				took[lanes] = pushLanes(b, lanes, 100_000)
			}
			b.ReportMetric(took[lanes].Seconds(), "s")
			b.ReportMetric(100_000/took[lanes].Seconds(), "rows/s")
		})
	}
	if one, many := took[1], took[16]; one > 0 && many > 0 && many > one/3 {
		b.Errorf("16 lanes took %s, and one took %s: want a third at most", many, one)
	}
}

func pushLanes(b *testing.B, lanes, rows int) time.Duration {
	box, err := NewSandbox(SandboxConfig{Simulators: simulators})
	if err != nil {
		b.Fatal(err)
	}
	m, err := New(Config{
		Dir: b.TempDir(), Vendors: []dest.Vendor{salesforce.Vendor}, Endpoints: box.Endpoints, Log: slog.New(slog.DiscardHandler),
		Secret: func(_ context.Context, kind, _ string) (map[string]string, error) { return box.Secret(kind), nil },
	})
	if err != nil {
		b.Fatal(err)
	}
	apply(b, m, lanes)
	ctx, cancel := context.WithCancel(b.Context())
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return m.Run(ctx) })
	g.Go(func() error { return box.Run(ctx) })
	defer func() {
		cancel()
		if err := g.Wait(); err != nil {
			b.Error(err)
		}
	}()
	post(b, box.Endpoints["salesforce"]+"/_sandbox/faults", `{"match":"PATCH","delay_ms":50,"count":-1}`, nil)
	var bodies []string
	for first := 0; first < rows; first += 2000 {
		bodies = append(bodies, request(first, min(first+2000, rows)))
	}
	crm := box.Simulated["salesforce"].(*salesforcesim.Simulator)
	started := time.Now()
	pushed := errgroup.Group{}
	pushed.SetLimit(4)
	for n, body := range bodies {
		pushed.Go(func() error {
			pushRows(b, m, n, body)
			return nil
		})
	}
	if err := pushed.Wait(); err != nil {
		b.Fatal(err)
	}
	for crm.Count("Account") < rows {
		if time.Since(started) > time.Minute {
			b.Fatalf("%d of %d rows arrived in a minute", crm.Count("Account"), rows)
		}
		time.Sleep(time.Millisecond)
	}
	return time.Since(started)
}
