package amplitude

import (
	"net/http"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
)

// Whatever is answered, each event gets an outcome, is to be sent again, or the call
// fails as a whole; nothing is delivered but by an answer of 200 that counts all, and no
// row's value is taken for a field's name.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{
		`{"code":200,"events_ingested":2}`, `{"code":200,"events_ingested":1}`, `{"code":400,"error":"Invalid API key: x"}`,
		`{"code":400,"events_with_invalid_fields":{"time":[0,7,-1]},"events_with_missing_fields":{"user_id":[1]}}`,
		`{"code":400,"events_with_invalid_id_lengths":{"user_id":[0]},"silenced_events":[1],"silenced_devices":["device-1"]}`,
		`{"code":429,"throttled_events":[0],"throttled_users":{"user-2":9},"exceeded_daily_quota_devices":{"device-1":1}}`,
		`{"code":400,"events_with_invalid_fields":{"user-2":[0],"user-1":[1],"device-1":[1]}}`,
		`<html>`, ``, `null`, `[]`, `{"code":`, `{"code":200,"events_ingested":2}{}`,
	} {
		for _, status := range []int{200, 202, 302, 400, 403, 413, 429, 500} {
			f.Add(status, body)
		}
	}
	device := dest.Record{Key: "user-1", Fields: []dest.Field{{Name: fieldDevice, Value: []byte(`"device-1"`)}}}
	events := []event{{record: &device}, {record: &dest.Record{Key: "user-2"}, at: 1}}
	f.Fuzz(func(t *testing.T, status int, body string) {
		r := &reply{status: status, header: http.Header{}, body: []byte(body)}
		named, failed := judge("test", r, events, time.Time{})
		if failed != nil {
			if named != nil || failed.Code == "" || failed.Message == "" {
				t.Errorf("%d %q: %+v and %d outcomes", status, body, failed, len(named))
			}
			return
		}
		settled := 0
		for _, o := range named {
			if o == nil {
				continue
			}
			settled++
			if (o.Status == dest.Delivered) != (status == http.StatusOK) || o.Status != dest.Delivered && (o.Code == "" || o.Message == "" || o.Field == "user-1" || o.Field == "user-2" || o.Field == "device-1") {
				t.Errorf("%d %q: %+v", status, body, o)
			}
		}
		if len(named) != len(events) || settled == 0 {
			t.Errorf("%d %q: %d outcomes of %d settle something: the loop would not get on", status, body, settled, len(named))
		}
	})
}
