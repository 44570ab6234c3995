// Package functions has no code of its own: its folders are the Lambda functions.
// This test holds each to what it uses, because all that a binary links is loaded
// at every cold start.
package functions

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/app/env"
	"github.com/penstock-data/penstock/shared/dest/vendors"
)

const module = "github.com/penstock-data/penstock/"

// never is what no function may link.
var never = []string{
	module + "shared/sqlite", module + "shared/sandbox", module + "shared/local", module + "shared/warehouse/duckdb", module + "shared/sample",
	module + "shared/app/apptest", module + "shared/app/machine", module + "shared/syncdef/yamlfile", module + "shared/storetest",
	"github.com/aws/aws-sdk-go-v2/config", "github.com/aws/aws-sdk-go-v2/service/sts", "github.com/aws/aws-sdk-go-v2/service/sso", "github.com/aws/aws-sdk-go-v2/feature",
	module + "shared/wire/wiretest", "modernc.org/", "github.com/duckdb/", "github.com/alecthomas/kong", "github.com/goccy/go-yaml", "gopkg.in/yaml",
	"testing", "net/http/httptest", "net/rpc", "text/template", "html/template",
}

// The services and callers that not every function needs; vendors are added.
const (
	sqs       = "github.com/aws/aws-sdk-go-v2/service/sqs"
	secrets   = "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	snowflake = module + "shared/wire/snowflake"
	direct    = module + "shared/wire/redshift"
	redshift  = "github.com/aws/aws-sdk-go-v2/service/redshiftdata"
	scheduler = "github.com/aws/aws-sdk-go-v2/service/scheduler"
	bigquery  = module + "shared/wire/bigquery"
	ses       = "github.com/aws/aws-sdk-go-v2/service/sesv2"
	cron      = "github.com/robfig/cron/v3" // how late a sync may be
)

// uses are what the functions link of these.
func uses() map[string][]string {
	all := map[string][]string{
		"authorizer": nil,
		"push":       {sqs, snowflake, bigquery},
		"control":    {sqs, snowflake, bigquery, cron},           // retry hands rows to the queue
		"redshift":   {sqs, snowflake, bigquery, direct, cron},   // both of them, by another protocol
		"sweep":      {sqs, cron, secrets, ses, vendor("slack")}, // and so do due errors
		"schedule":   {cron, secrets, redshift},
		"deadletter": {sqs, secrets}, // calls neither: it shares the workers' wiring, and is rarely started
	}
	for _, v := range vendors.Vendors() { // a worker links its one vendor
		all[v.Name] = []string{sqs, secrets, vendor(v.Name)}
	}
	return all
}

func vendor(name string) string { return module + "shared/dest/" + name }

// optional are what a function may or may not link.
func optional() []string {
	all := []string{sqs, secrets, snowflake, bigquery, direct, cron, ses, redshift, scheduler}
	for _, v := range vendors.Vendors() {
		all = append(all, vendor(v.Name))
	}
	return all
}

func TestFunctionsLinkOnlyWhatTheyUse(t *testing.T) {
	for function, wanted := range uses() {
		t.Run(function, func(t *testing.T) {
			deps := dependencies(t, function)
			for _, one := range optional() {
				if got, want := slices.Contains(deps, one), slices.Contains(wanted, one); got != want {
					t.Errorf("links %s: %v, want %v", one, got, want)
				}
			}
			for _, d := range deps {
				for _, n := range never {
					if d == n || strings.HasPrefix(d, strings.TrimSuffix(n, "/")+"/") {
						t.Errorf("links %s", d)
					}
				}
			}
		})
	}
}

// maxSize is what a binary may weigh: it is loaded at every cold start.
const maxSize = 13_000_000

func TestFunctionsAreSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("builds every function")
	}
	for function := range uses() {
		t.Run(function, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "bootstrap")
			run(t, "build", "-trimpath", "-ldflags", "-s -w", "-tags", "lambda.norpc", "-o", file, "./"+function)
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			if info.Size() > maxSize {
				t.Errorf("%d bytes, at most %d", info.Size(), maxSize)
			}
		})
	}
}

// Every folder is a function that is declared, and the other way round: with its
// environment, or as the worker of a vendor.
func TestFunctionsAreDeclared(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, e := range entries {
		if e.IsDir() {
			there[e.Name()] = true
			if _, ok := uses()[e.Name()]; !ok {
				t.Errorf("functions/%s is neither in the list of uses nor a vendor", e.Name())
			}
		}
	}
	for function := range uses() {
		if !there[function] {
			t.Errorf("there is no functions/%s", function)
		}
	}
	for function := range env.Functions {
		if _, ok := uses()[function]; !ok {
			t.Errorf("env.Functions has %s, the list of uses has not", function)
		}
	}
}

// dependencies are the packages that a function's binary links.
func dependencies(t *testing.T, function string) []string {
	t.Helper()
	return strings.Fields(run(t, "list", "-deps", "-tags", "lambda.norpc", "./"+function))
}

// run runs the go command as for Lambda.
func run(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v", args[0], err)
	}
	return string(out)
}
