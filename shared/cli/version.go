package cli

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"runtime"
	"runtime/debug"

	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

type versionCmd struct {
	JSON bool `name:"json" help:"Print one JSON object."`
}

// A versionReport is what version says. Its JSON is what version --json prints.
type versionReport struct {
	Version  string `json:"version"`          // of the module: v1.2.3, or (devel)
	Commit   string `json:"commit,omitempty"` // absent where the build does not tell
	Modified bool   `json:"modified"`         // the build had changes beside the commit
	Go       string `json:"go"`
	Platform string `json:"platform"`         // linux/arm64
	DuckDB   string `json:"duckdb,omitempty"` // absent in a build without the embedded warehouse
}

// Run prints it.
func (c versionCmd) Run(ctx context.Context, s program) error {
	info, _ := debug.ReadBuildInfo()
	r := reportVersion(info)
	r.DuckDB = duckdb.Version(ctx)
	if c.JSON {
		return printJSON(s.out, r)
	}
	_, err := fmt.Fprintln(s.out, r)
	return err
}

// pseudo is a version that the Go command made of a commit: its end is the commit.
var pseudo = regexp.MustCompile(`[.-]\d{14}-([0-9a-f]{12})(\+dirty)?$`)

// reportVersion reads what the build noted; nil is a build that noted nothing.
func reportVersion(info *debug.BuildInfo) versionReport {
	r := versionReport{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info == nil {
		return r
	}
	r.Version = cmp.Or(info.Main.Version, r.Version)
	if m := pseudo.FindStringSubmatch(r.Version); m != nil {
		r.Commit, r.Modified = m[1], m[2] != ""
	}
	for _, set := range info.Settings {
		switch set.Key {
		case "vcs.revision":
			r.Commit = set.Value
		case "vcs.modified":
			r.Modified = set.Value == "true"
		}
	}
	return r
}

// String prints it for people, on one line.
func (r versionReport) String() string {
	commit := cmp.Or(r.Commit, "not known")
	if r.Modified {
		commit += " with changes"
	}
	warehouse := "without DuckDB (built without cgo)"
	if r.DuckDB != "" {
		warehouse = "with DuckDB " + r.DuckDB
	}
	return fmt.Sprintf("penstock %s, commit %s, %s, %s, %s", r.Version, commit, r.Go, r.Platform, warehouse)
}
