package callers_test

import (
	"testing"

	"github.com/penstock-data/penstock/shared/app/callers"
	"github.com/penstock-data/penstock/shared/wire/gateway"
)

func TestOf(t *testing.T) {
	for _, c := range []struct {
		path, email string
		want        string
		refused     bool
	}{
		{"/push", "", "snowflake", false},
		{"/push", "a@b.example", "bigquery", false},
		{"/crm/token/push", "a@b.example", "bigquery", false},
		{"/token", "", "snowflake", false},
		{"/tokens/push", "", "snowflake", false},
		{"/token/push", "a@b.example", "bigquery", false},
		{"/token/begin", "a@b.example", "bigquery", false},
		{"/token/push", "", "bigquery", true},
	} {
		event := gateway.EncodeRequest("POST", c.path, nil, nil, nil)
		if c.email != "" {
			event = gateway.WithVerified(event, "email", c.email)
		}
		r, err := gateway.Decode(event)
		if err != nil {
			t.Fatal(err)
		}
		got, err := callers.Of(&r)
		if got.Name != c.want || (err != nil) != c.refused {
			t.Errorf("%s by %q: %s, %v", c.path, c.email, got.Name, err)
		}
	}
}
