package schedule

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

type stored struct {
	c     syncdef.Connection
	err   error
	reads int
}

func (s *stored) Connection(context.Context, string) (syncdef.Stored, error) {
	s.reads++
	return syncdef.Stored{Connection: s.c}, s.err
}

type one struct{ err error }

func (o *one) Start(context.Context, run.Call) (run.Statement, error) {
	return run.Statement{Handle: "h"}, o.err
}
func (o *one) Look(context.Context, string) (run.Statement, error) { return run.Statement{}, o.err }

// The settings are read again after a minute, and after any failure, so that what was
// mended holds.
func TestSettingsAreReadAgain(t *testing.T) {
	now := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	s, in, opened := &stored{c: syncdef.Connection{Name: syncdef.StoredWarehouse, Type: "snowflake"}}, &one{}, 0
	w := &Warehouse{Connections: s, Now: func() time.Time { return now }, Open: func(context.Context, syncdef.Connection) (runs.Warehouse, error) {
		opened++
		return in, nil
	}}
	start := func(reads, opens int, failure error) {
		t.Helper()
		if _, err := w.Start(t.Context(), run.Call{}); !errors.Is(err, failure) || s.reads != reads || opened != opens {
			t.Errorf("%v, %d reads, %d opened; want %v, %d, %d", err, s.reads, opened, failure, reads, opens)
		}
	}
	start(1, 1, nil)
	start(1, 1, nil)
	now = now.Add(time.Minute)
	start(2, 1, nil) // unchanged
	s.c.Type = "redshift"
	now = now.Add(time.Minute)
	start(3, 2, nil)
	in.err = run.ErrRefused
	start(3, 2, run.ErrRefused)
	start(4, 3, run.ErrRefused)
	s.err, in.err = run.ErrNotFound, nil
	start(5, 3, run.ErrRefused)
	s.err = errors.New("throttled")
	if _, err := w.Look(t.Context(), "h"); err == nil || errors.Is(err, run.ErrRefused) {
		t.Errorf("%v", err)
	}
}

// A secret that a person must mend refuses, and its value is in no error.
func TestOpenNamesWhatIsWrong(t *testing.T) {
	secret := func(context.Context, string) (map[string]string, error) {
		return map[string]string{"private_key": "TOP SECRET", "type": "TOP SECRET"}, nil
	}
	for kind, want := range map[string]string{"snowflake": "private_key", "bigquery": `secret "warehouse"`, "oracle": "oracle"} {
		_, err := open(t.Context(), aws.Config{}, nil, secret, syncdef.Connection{Type: kind, Secret: "warehouse"})
		if !errors.Is(err, run.ErrRefused) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "TOP") {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if w, err := open(t.Context(), aws.Config{Region: "eu-central-1"}, nil, secret, syncdef.Connection{Type: "redshift"}); err != nil || w == nil {
		t.Errorf("redshift needs no secret: %v", err)
	}
}
