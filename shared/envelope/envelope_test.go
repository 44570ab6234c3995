package envelope

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/run"
)

func sample() Chunk {
	return Chunk{
		Run: "sf_health.q0123456789abcdef", Version: "v0123456789ab", Batch: "fedcba9876543210",
		Mode: run.Incremental, Index: 3, Lane: 2, Sequence: 1<<53 + 1, Late: true, At: time.UnixMilli(1_789_000_000_123).UTC(),
		Rows: []Row{
			{Number: 0, Object: jsontext.Value(`{"id":9007199254740993,"n":1234567890123456789012345}`)},
			{Number: 41, Object: jsontext.Value(`{"name":"O'Brien \"ü\" <&>"}`), Least: jsontext.Value(`"2026-03-14"`)},
			{Number: 42, Object: jsontext.Value(`{}`), Replay: &Replay{Ref: "sf_health.q1#b1#7", Sequence: 5, Attempts: 2}},
			{Number: 43, Object: jsontext.Value(`{}`), Delete: true},
			{Number: 44, Object: jsontext.Value(`{}`), Delete: true, Key: "acme.com", Least: jsontext.Value(`1`)},
		},
	}
}

func TestRoundTrip(t *testing.T) {
	p, u := &Packer{}, &Unpacker{}
	got, err := u.Unpack(p.Pack(sample()))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(sample(), got); d != "" {
		t.Error(d)
	}
	for _, number := range []int{1<<27 - 1, 1 << 27, 987654321, 1<<31 - 1} { // a request may number its rows so
		c := sample()
		c.Rows[1].Number = number
		if got, err := u.Unpack(p.Pack(c)); err != nil || got.Rows[1].Number != number {
			t.Errorf("row %d: %v", number, err)
		}
	}
}

// A message that an older release queued must stay readable for 14 days.
func TestGolden(t *testing.T) {
	p, u := &Packer{}, &Unpacker{}
	path := filepath.Join("testdata", "chunk.golden")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, p.Pack(sample()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := u.Unpack(bytes.TrimSpace(text))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(sample(), got); d != "" {
		t.Error(d)
	}
}

func TestUnpackRefuses(t *testing.T) {
	p, u := &Packer{}, &Unpacker{}
	good := string(p.Pack(sample()))
	for name, text := range map[string]string{
		"empty": "", "no base64": "{}", "no format": "aGVsbG8=", "cut": good[:len(good)/2/4*4],
	} {
		if _, err := u.Unpack([]byte(text)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	zip, err := base64.StdEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	long := append(bytes.Clone(zip[:begin]), "\xff\xff\xff\xff\x0f"...) // S2 begins with its length as a varint
	for says, bad := range map[string][]byte{
		"has format 6, this program knows format 5": append([]byte{format + 1}, zip[1:]...),
		"damaged":                     append(bytes.Clone(zip[:len(zip)-1]), zip[len(zip)-1]^1),
		"unpacks to 4294967295 bytes": long,
	} {
		if _, err := u.Unpack([]byte(base64.StdEncoding.EncodeToString(bad))); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), says) {
			t.Errorf("want %q, got %v", says, err)
		}
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct{ size, n, want int }{
		{300, 2000, 2000}, {300, 9000, 2500}, {100 << 10, 50, 10}, {2 << 20, 3, 1}, {300, 0, 0},
	} {
		if got := Cut(func(int) int { return c.size }, c.n); got != c.want {
			t.Errorf("%d rows of %d B: cut at %d, want %d", c.n, c.size, got, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x01a\x01b\x01c\x01d\x00\x00\x00\x01\x00\x02{}"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := decode(raw)
		if err != nil {
			return
		}
		p, u := &Packer{}, &Unpacker{}
		again, err := u.Unpack(p.Pack(c))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c, again); d != "" {
			t.Error(d)
		}
	})
}

func BenchmarkPack(b *testing.B) {
	p, u := &Packer{}, &Unpacker{}
	c := sample()
	c.Rows = nil
	for i := range 2048 {
		c.Rows = append(c.Rows, Row{Number: i, Object: jsontext.Value(`{"customer_id":"cust_` + strings.Repeat("x", i%17) + `","pad":"` + strings.Repeat("lorem ipsum ", 25) + `"}`)})
	}
	text := p.Pack(c)
	b.Run("pack", func(b *testing.B) {
		for b.Loop() {
			p.Pack(c)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/2048, "ns/row")
	})
	b.Run("unpack", func(b *testing.B) {
		for b.Loop() {
			if _, err := u.Unpack(text); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/2048, "ns/row")
	})
}

// The attempts that failed with a version stand beside the others.
func TestHalted(t *testing.T) {
	p, u := &Packer{}, &Unpacker{}
	c := sample()
	for _, r := range []Replay{{Ref: "a.q1#b#1", Attempts: 1}, {Ref: "a.q1#b#1", Attempts: 4321, Halted: 4320}, {Ref: "a.q1#b#1", Attempts: 1<<16 - 1, Halted: 1<<15 - 1}} {
		c.Rows = []Row{{Number: 1, Object: jsontext.Value(`{}`), Replay: &r}}
		got, err := u.Unpack(p.Pack(c))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c, got); d != "" {
			t.Error(d)
		}
	}
}
