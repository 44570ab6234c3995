package salesforce

import (
	"context"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/syncdef"
)

func version(connType string) syncdef.Version {
	return syncdef.Version{
		Definition: syncdef.Definition{Sync: "s", Object: "Account", Operation: syncdef.Insert},
		Connection: syncdef.Connection{Name: "prod", Type: connType, URL: "https://acme.my.salesforce.com"},
	}
}

func TestOpen(t *testing.T) {
	open := Open(func(context.Context, string) (map[string]string, error) {
		t.Error("the secret is read before it is needed")
		return nil, nil
	})
	d, err := open(t.Context(), version("salesforce"))
	if err != nil || d == nil {
		t.Fatalf("%v, %v", d, err)
	}
	d, err = open(t.Context(), version("slack"))
	if err == nil || !strings.Contains(err.Error(), `connection "prod" has type "slack"`) || d != nil {
		t.Errorf("%v, %v", d, err)
	}
}

func TestFromEnvironmentNamesWhatIsMissing(t *testing.T) {
	t.Setenv("PENSTOCK_STATE_TABLE", "")
	_, err := FromEnvironment()
	if err == nil || !strings.Contains(err.Error(), "PENSTOCK_STATE_TABLE is not set") {
		t.Errorf("%v", err)
	}
}
