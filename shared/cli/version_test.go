package cli

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestVersion(t *testing.T) {
	at := ", " + runtime.Version() + ", " + runtime.GOOS + "/" + runtime.GOARCH + ", without DuckDB (built without cgo)"
	set := func(revision, modified string) []debug.BuildSetting {
		return []debug.BuildSetting{{Key: "vcs.revision", Value: revision}, {Key: "vcs.modified", Value: modified}}
	}
	for _, c := range []struct {
		info *debug.BuildInfo
		want string
	}{
		{nil, "penstock (devel), commit not known"},
		{&debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, "penstock v1.2.3, commit not known"},
		{&debug.BuildInfo{Main: debug.Module{Version: "v0.0.0-20260105093000-0123456789ab"}}, "penstock v0.0.0-20260105093000-0123456789ab, commit 0123456789ab"},
		{&debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: set("0123456789abcdef", "false")}, "penstock (devel), commit 0123456789abcdef"},
		{&debug.BuildInfo{Main: debug.Module{Version: "v1.2.4-0.20260105093000-0123456789ab+dirty"}, Settings: set("0123456789abcdef", "true")}, "penstock v1.2.4-0.20260105093000-0123456789ab+dirty, commit 0123456789abcdef with changes"},
	} {
		if got := reportVersion(c.info).String(); got != c.want+at {
			t.Errorf("got %s, want %s%s", got, c.want, at)
		}
	}
}
