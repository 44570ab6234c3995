package cli

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/app/view"
)

func TestRate(t *testing.T) {
	for n, want := range map[float64]string{
		0: "0", 0.004: "0.004", 0.04: "0.04", 1.5: "1.5", 3: "3", 66.66: "66.7", 100.4: "100", 9999.6: "10,000", 1234567: "1,234,567",
	} {
		if got := rate(n); got != want {
			t.Errorf("%v is %s, want %s", n, got, want)
		}
	}
}

// All numbers of a status are written alike.
func TestStandingNumbers(t *testing.T) {
	var out strings.Builder
	s := program{out: &out, err: io.Discard, clock: clock{now: func() time.Time { return noon }, zone: time.UTC}}
	s.printStanding(view.Row{Health: view.Healthy, LastRun: &view.Line{}, LastSuccess: noon, SuccessRate: 1, RowsPerSecond: 10_000, Records: 20_000, Previous: 20_000})
	for _, want := range []string{"10,000 rows a second", "20,000 rows of the last success, 20,000 of the one before"} {
		if !strings.Contains(strings.Join(strings.Fields(out.String()), " "), want) {
			t.Errorf("there is no %q in\n%s", want, out.String())
		}
	}
}
