// Package functions has no code of its own: its folders are the Lambda functions.
// This test holds each to what it uses, because all that a binary links is loaded
// at every cold start.
package functions

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/app/env"
)

const module = "github.com/penstock-data/penstock/"

// never is what no function may link.
var never = []string{
	module + "shared/sqlite", module + "shared/sandbox", module + "shared/local", module + "shared/warehouse", module + "shared/lesson",
	module + "shared/app/apptest", module + "shared/app/machine", module + "shared/syncdef/yamlfile", module + "shared/storetest",
	"github.com/aws/aws-sdk-go-v2/config", "github.com/aws/aws-sdk-go-v2/service/sts", "github.com/aws/aws-sdk-go-v2/service/sso", "github.com/aws/aws-sdk-go-v2/feature",
	module + "shared/wire/wiretest", "modernc.org/", "github.com/duckdb/", "github.com/alecthomas/kong", "github.com/goccy/go-yaml", "gopkg.in/yaml", "github.com/robfig/cron",
	"testing", "net/http/httptest", "net/rpc", "text/template", "html/template",
}

// The services, vendors and callers that not every function needs.
const (
	sqs        = "github.com/aws/aws-sdk-go-v2/service/sqs"
	secrets    = "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	salesforce = module + "shared/dest/salesforce"
	slack      = module + "shared/dest/slack"
	snowflake  = module + "shared/wire/snowflake"
)

var uses = map[string][]string{
	"push":       {sqs, snowflake},
	"control":    {sqs, snowflake}, // retry hands rows to the queue
	"sweep":      {sqs},            // and so do due errors
	"deadletter": {},
	"salesforce": {sqs, secrets, salesforce},
	"slack":      {sqs, secrets, slack},
}

func TestFunctionsLinkOnlyWhatTheyUse(t *testing.T) {
	for function := range env.Functions {
		t.Run(function, func(t *testing.T) {
			wanted, ok := uses[function]
			if !ok {
				t.Fatal("this function is not in the list of uses")
			}
			deps := dependencies(t, function)
			for _, one := range []string{sqs, secrets, salesforce, slack, snowflake} {
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

// Every folder is a function whose environment is declared, and the other way
// round.
func TestFunctionsAreDeclared(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, e := range entries {
		if e.IsDir() {
			there[e.Name()] = true
			if _, ok := env.Functions[e.Name()]; !ok {
				t.Errorf("functions/%s is not in env.Functions", e.Name())
			}
		}
	}
	for function := range env.Functions {
		if !there[function] {
			t.Errorf("env.Functions has %s, functions/ has not", function)
		}
	}
}

// dependencies are the packages that a function's binary links, built as for Lambda.
func dependencies(t *testing.T, function string) []string {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-tags", "lambda.norpc", "./"+function)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return strings.Fields(string(out))
}
