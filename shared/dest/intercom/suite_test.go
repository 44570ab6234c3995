package intercom_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/desttest"
	"github.com/penstock-data/penstock/shared/dest/intercom"
	"github.com/penstock-data/penstock/shared/sandbox"
	sim "github.com/penstock-data/penstock/shared/sandbox/intercom"
	"github.com/penstock-data/penstock/shared/syncdef"
)

func TestSuite(t *testing.T) {
	removing := func(def syncdef.Definition, how syncdef.Removal) syncdef.Definition {
		def.OnDelete = how
		return def
	}
	for name, def := range map[string]syncdef.Definition{
		"external id": removing(byExternalID(), syncdef.RemoveArchive), "email": removing(byEmail(), syncdef.RemoveArchive),
		"delete": removing(byExternalID(), syncdef.RemoveDelete), "clear": removing(byExternalID(), syncdef.RemoveClear),
	} {
		t.Run(name, func(t *testing.T) {
			desttest.Run(t, func(t *testing.T) desttest.Subject {
				w := newWorld(t, def, func(c *sim.Config) { c.SearchLag = -1 })
				return desttest.Subject{
					Vendor: intercom.Vendor, Config: w.cfg, Version: w.version(), Core: w.sim.Core(),
					Record: func(i int) dest.Record {
						return w.rec(fmt.Sprintf("customer-%d@acme.example", i), "name", fmt.Sprintf(`"Customer %d"`, i), "note", fmt.Sprintf(`"note %d"`, i))
					},
					Stored: func(r dest.Record) map[string]string {
						if c := w.sim.Contact(r.Match); c != nil && !c.Archived {
							return c.Values
						}
						return nil
					},
					Count: w.sim.Live, Creates: true, Identity: "app0penstock",
					Text: "note",
					Bad: func(r dest.Record) dest.Record {
						r.Fields = append(slices.Clone(r.Fields), dest.Field{Name: "phone", Value: jsontext.Value(`"call me"`)})
						return r
					},
					BadCode: "parameter_invalid",
					Busy:    sandbox.Fault{Match: "/contacts", Code: "too_many_requests"},
					Write:   "POST /contacts", Query: "/contacts/search",
					Throttle: sandbox.Fault{Status: 429, Headers: map[string]string{"Retry-After": "7", "X-RateLimit-Limit": "167", "X-RateLimit-Remaining": "0"},
						Body: `{"type":"error.list","request_id":"x","errors":[{"code":"rate_limit_exceeded","message":"Exceeded rate limit of 167 in 10_seconds"}]}`},
					Quota:   dest.QuotaSecond,
					Refusal: sandbox.Fault{Status: 401, Body: `{"type":"error.list","request_id":"x","errors":[{"code":"unauthorized","message":"Access Token Invalid"}]}`},
					Clears:  true,
				}
			})
		})
	}
}
