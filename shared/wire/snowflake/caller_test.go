package snowflake

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/row"
)

func encoded(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// Whose request it is: the twin says it, and a plain header only where nothing of it
// can have been blanked.
func TestCaller(t *testing.T) {
	for name, c := range map[string]struct {
		plain, twin string
		want        string
	}{
		"both":                                  {"LOADER", encoded("LOADER"), "LOADER"},
		"the twin alone":                        {"", encoded("LOADER"), "LOADER"},
		"the plain one alone":                   {"LOADER", "", "LOADER"},
		"neither: no role, or an owner's right": {"", "", ""},
		"another role that is blanked into it":  {" LOADER", encoded("ÄLOADER"), "ÄLOADER"},
		"the same, trimmed on the way":          {"LOADER", encoded("ÄLOADER"), "ÄLOADER"},
		"blanked, and no twin":                  {" LOADER", "", ""},
		"a blank within, and no twin":           {"DATA TEAM", "", ""},
		"quotes are a part of the name":         {`"LOADER"`, encoded(`"LOADER"`), `"LOADER"`},
		"small letters stay":                    {"loader", encoded("loader"), "loader"},
		"the literal NULL is a name":            {"NULL", encoded("NULL"), "NULL"},
	} {
		b, err := Decode(request(`{"data":[]}`, HeaderRole, c.plain, HeaderRole+"-base64", c.twin, "sf-custom-sf-context-current-role", "ACCOUNTADMIN"))
		if err != nil || b.Caller.Role != c.want || b.Caller.Owner {
			t.Errorf("%s: %+v, %v; want %q", name, b.Caller, err, c.want)
		}
	}
	for name, twin := range map[string]string{"no base64": "LOADER!", "cut off": "TE9BREV", "of another alphabet": "_-8="} {
		_, err := Decode(request(`{"data":[]}`, HeaderRole, "LOADER", HeaderRole+"-base64", twin))
		var refused *row.Refusal
		if !errors.As(err, &refused) || refused.Kind != row.Mistake || !strings.Contains(refused.Message, "is not base64") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLongIDs(t *testing.T) {
	for _, header := range []string{HeaderBatchID, HeaderQueryID} {
		if _, err := Decode(request(`{"data":[]}`, header, strings.Repeat("a", maxID))); err != nil {
			t.Errorf("%s: %v", header, err)
		}
		_, err := Decode(request(`{"data":[]}`, header, strings.Repeat("a", maxID+1)))
		var refused *row.Refusal
		if !errors.As(err, &refused) || refused.Kind != row.Mistake {
			t.Errorf("%s: %v", header, err)
		}
	}
}
