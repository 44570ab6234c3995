package snowflake

import (
	"encoding/base64"
	"regexp"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/wire"
	"github.com/penstock-data/penstock/shared/wire/gateway"
	"github.com/penstock-data/penstock/shared/wire/wiretest"
)

// blanked is what a header cannot carry: each run of it becomes one blank.
var blanked = regexp.MustCompile(`[^\x20-\x7e]+`)

func TestSuite(t *testing.T) { wiretest.Run(t, asSnowflake()) }

// asSnowflake is Snowflake, by its documentation.
func asSnowflake() wiretest.Caller {
	send := func(method, id, function string, body []byte) wire.Request {
		h := headers(HeaderBatchID, id, HeaderName, function)
		return wire.Request{Method: method, Path: "/", Header: h, Body: body}
	}
	return wiretest.Caller{
		Protocol: Protocol,
		Request: func(id, function string, rows [][]jsontext.Value) wire.Request {
			return send("POST", id, function, EncodeRequest(nil, rows))
		},
		As: func(r wire.Request, role string) wire.Request {
			rest := r.Header
			r.Header = func(name string) string {
				switch name {
				case HeaderRole:
					return blanked.ReplaceAllString(role, " ")
				case HeaderRole + "-base64":
					return base64.StdEncoding.EncodeToString([]byte(role))
				}
				return rest(name)
			}
			return r
		},
		Poll:   func(id, function string) wire.Request { return send("GET", id, function, nil) },
		Values: func(r wire.Response) ([]jsontext.Value, error) { return DecodeReply(r.Body) },
		React: func(r wire.Response) (wiretest.Reaction, string) {
			switch {
			case r.Status == 200:
				return wiretest.Takes, ""
			case r.Status == 429:
				return wiretest.Waits, ""
			case r.Status >= 500:
				return wiretest.Retries, ""
			}
			return wiretest.Fails, string(r.Body)
		},
		Sent:    func(r wire.Response) int { return len(gateway.Encode(r)) },
		Limit:   6 << 20,
		Gateway: true,
	}
}
