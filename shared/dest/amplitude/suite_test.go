package amplitude_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/amplitude"
	"github.com/penstock-data/penstock/shared/dest/desttest"
	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/syncdef"
)

func TestSuite(t *testing.T) {
	desttest.Run(t, func(t *testing.T) desttest.Subject {
		w := newWorld(t)
		// Amplitude does not say whether a user is new: all of the suite's exist.
		for i := range 1100 {
			w.seed(fmt.Sprintf("user-%d", i))
		}
		w.sim.Core().ResetCalls()
		w.def.OnDelete = syncdef.RemoveClear
		w.def.Fields = []syncdef.Field{{Source: "plan", Destination: "plan"}, {Source: "score", Destination: "score"}}
		w.open()
		return desttest.Subject{
			Vendor: amplitude.Vendor, Core: w.sim.Core(), Version: w.version(), Config: w.cfg,
			Record: func(i int) dest.Record {
				return rec(fmt.Sprintf("user-%d", i), "plan", fmt.Sprintf(`"plan %d"`, i), "score", fmt.Sprint(i))
			},
			Stored: w.stored,
			Count:  w.sim.Count,
			Text:   "plan", Number: "score",
			Bad: func(r dest.Record) dest.Record {
				r.Fields = append([]dest.Field{{Name: "bio", Value: jsontext.Value(`"` + strings.Repeat("x", 1025) + `"`)}}, r.Fields...)
				return r
			},
			BadCode:  "value_too_long",
			Busy:     sandbox.Fault{Match: "/batch", Code: "throttled_users"},
			Write:    "POST /batch",
			Throttle: sandbox.Fault{Status: 429, Body: `{"code":429,"error":"Too many requests for some devices and users","eps_threshold":1000}`}, Waits: true,
			Quota:      dest.QuotaSecond,
			Refusal:    sandbox.Fault{Status: 400, Body: `{"code":400,"error":"Invalid API key: ` + apiKey + `"}`},
			Long:       `{"code":200,"events_ingested":3,"payload_size_bytes":50,"server_upload_time":1396381378123}`,
			Idempotent: true, Clears: true,
		}
	})
}

// stored is what the project holds of a record's user, as text.
func (w *world) stored(r dest.Record) map[string]string {
	u := w.sim.User(r.Key)
	if u == nil {
		return nil
	}
	out := map[string]string{}
	for name, v := range u.Properties {
		out[name] = string(v)
		if text, ok := rawjson.Text(v); ok {
			out[name] = text
		}
	}
	return out
}
