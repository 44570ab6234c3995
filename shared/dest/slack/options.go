package slack

import (
	"encoding/json"
	"fmt"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// defaultDigestOver is slack.digest_over where the definition has none.
const defaultDigestOver = 20

// The values of on_too_long; "" stands in versions of before there was one.
const (
	rejectLong   = "reject"
	truncateLong = "truncate"
)

// options are the keys of a definition's object slack.
type options struct {
	Channel    string `json:"channel"`
	DigestOver int    `json:"digest_over"`
	OnTooLong  string `json:"on_too_long"`
}

// readOptions reads them, with the defaults of what is absent.
func readOptions(d *syncdef.Definition) (options, error) {
	var o options
	if len(d.Options) > 0 {
		if err := json.Unmarshal(d.Options, &o); err != nil {
			return options{}, fmt.Errorf("read the options of sync %s: %w", d.Sync, err)
		}
	}
	if o.DigestOver <= 0 {
		o.DigestOver = defaultDigestOver
	}
	return o, nil
}
