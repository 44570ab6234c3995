package wiretest

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/wire"
)

// roles sends requests of people of many names: whoever asks is named exactly as the
// caller's system does, whatever is asked, and nobody where it names nobody. No
// request makes its sender the owner.
func roles(t *testing.T, c Caller) {
	for _, role := range []string{
		"ANALYST", "analyst", "Data Team", " ANALYST ", `"ANALYST"`, `a"b\c`, "ÄRZTE", "АNALYST", "分析", "A,B", "a\nb", "",
	} {
		for function, rows := range map[string][][]jsontext.Value{
			wire.Push: good, wire.Status: {args(`"sf_health"`)}, wire.Errors: {args(`"sf_health.r1"`)}, wire.Syncs: {nil},
		} {
			b := decode(t, c, c.As(c.Request("b-1", function, rows), role))
			if b.Caller.Role != role || b.Caller.Owner || b.Caller.Remedy == "" {
				t.Errorf("%s by the role %q: %+v", function, role, b.Caller)
			}
		}
		if c.Poll == nil {
			continue
		}
		if b := decode(t, c, c.As(c.Poll("b-1", wire.Push), role)); b.Caller.Role != role || b.Caller.Owner {
			t.Errorf("a poll by the role %q: %+v", role, b.Caller)
		}
	}
}
