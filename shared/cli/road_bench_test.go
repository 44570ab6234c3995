//go:build cgo && unix

package cli

import (
	"context"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// BenchmarkRoad is the whole road on one machine for the sync sf_health: DuckDB,
// HTTP, queue, worker, simulated Salesforce, SQLite. PENSTOCK_BENCH_ROWS sets the
// customers (default 100,000). rows/s counts the time from the first request to
// the last row settled; simulator-s is the CPU that the simulated vendor took of it.
func BenchmarkRoad(b *testing.B) {
	rows := 100_000
	if s := os.Getenv("PENSTOCK_BENCH_ROWS"); s != "" {
		var err error
		if rows, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		d := &demo{cmd: demoCmd{Rows: rows, Seed: 1, Syncs: "../../sql/syncs", JSON: true}, s: program{out: io.Discard, err: os.Stderr, clock: clock{now: time.Now, zone: time.UTC}, known: listed()}, syncs: sampleSyncs[:1], dir: b.TempDir()}
		ctx, cancel := context.WithCancel(b.Context())
		g, gctx := errgroup.WithContext(ctx)
		if err := d.open(gctx, g); err != nil {
			b.Fatal(err)
		}
		used := processCPU(b)
		for pass, name := range []string{"first", "unchanged"} {
			r, err := d.push(gctx, sampleSyncs[0], pass+1, false)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(r.Pushed)/r.Seconds, name+"-rows/s")
			b.ReportMetric(r.Seconds, name+"-s")
			b.ReportMetric(r.simulator, name+"-simulator-s")
			b.ReportMetric(float64(r.APICalls), name+"-calls")
			cpu := processCPU(b)
			b.ReportMetric(cpu-used, name+"-cpu-s")
			used = cpu
		}
		b.ReportMetric(peakMB(b), "peak-MB")
		cancel()
		if err := d.close(g); err != nil {
			b.Fatal(err)
		}
	}
}

// processCPU is the CPU time, in seconds, that this process has used.
func processCPU(b *testing.B) float64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// peakMB is the process's greatest resident memory so far.
func peakMB(b *testing.B) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Logf("peak memory is not known here: %v", err)
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if kb, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseFloat(strings.Fields(kb)[0], 64)
			if err != nil {
				b.Fatal(err)
			}
			return n / 1024
		}
	}
	return 0
}
