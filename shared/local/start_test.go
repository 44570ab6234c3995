package local_test

import (
	"context"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/app/env"
	"github.com/penstock-data/penstock/shared/local"
)

// dist is the folder of binaries built for this machine, as `make build` lays it
// out; a test that needs it is skipped without one, and fails where CI has to
// have it.
func dist(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("PENSTOCK_BOOTSTRAPS")
	if dir == "" {
		if os.Getenv("PENSTOCK_REQUIRE_SERVERS") == "1" {
			t.Fatal("PENSTOCK_BOOTSTRAPS is not set, and PENSTOCK_REQUIRE_SERVERS=1 asks for it")
		}
		t.Skip("needs built binaries: a=$(go env GOHOSTARCH); make build GOARCH=$a DIST=dist/$a, then PENSTOCK_BOOTSTRAPS=$PWD/dist/$a")
	}
	return dir
}

// variables are the names that a function reads; queues of all types included.
func variables(function string) []string {
	names, ok := env.Functions[function]
	if !ok {
		return env.Worker(function)
	}
	if slices.Contains(env.AllQueues, function) {
		for _, name := range types {
			names = append(slices.Clip(names), env.QueueOf(name))
		}
	}
	return names
}

// environ is what a function's process gets: its own variables, and where the
// services are.
func environ(function string, values map[string]string) []string {
	e := []string{"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local"}
	for _, name := range variables(function) {
		e = append(e, name+"="+values[name])
	}
	for _, name := range []string{"AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_SECRETS_MANAGER"} {
		if v := values[name]; v != "" {
			e = append(e, name+"="+v)
		}
	}
	return e
}

// everything has a value for each variable that a function can read.
var everything = map[string]string{
	env.StateTable: "state", env.LedgerTable: "ledger", env.ErrorsTable: "errors", env.SecretPrefix: "penstock/", env.Quiet: "2m", env.AlertFrom: "none", env.Stack: "penstock",
	env.TokenAudience: "none", env.TokenEmails: "none", env.TokenForwarders: "none",
	env.Visibility: "360s", env.QueueOf("salesforce"): "http://127.0.0.1:9/salesforce.fifo", env.QueueOf("slack"): "http://127.0.0.1:9/slack.fifo",
}

// The median over 20 starts, from exec to the first poll. It is measured, not
// judged: the figure depends on the machine.
func TestBootstrapStarts(t *testing.T) {
	dir := dist(t)
	for _, function := range functions() {
		t.Run(function, func(t *testing.T) {
			var took []time.Duration
			for range 20 {
				begun := time.Now()
				r, err := local.StartRuntime(t.Context(), filepath.Join(dir, function, "bootstrap"), environ(function, everything), io.Discard)
				if err != nil {
					t.Fatal(err)
				}
				took = append(took, time.Since(begun))
				r.Close()
			}
			slices.Sort(took)
			t.Logf("exec to first poll: median %v, fastest %v, slowest %v", took[10], took[0], took[19])
		})
	}
}

// A variable that is missing stops a function at its start, with a message that
// names it; and so does a quiet time that is none.
func TestBootstrapRefusesAWrongEnvironment(t *testing.T) {
	dir := dist(t)
	for _, function := range functions() {
		var log strings.Builder
		_, err := local.StartRuntime(t.Context(), filepath.Join(dir, function, "bootstrap"), environ(function, map[string]string{}), &log)
		if err == nil {
			t.Errorf("%s starts without its environment", function)
			continue
		}
		names := env.Functions[function]
		if names == nil {
			names = env.Worker(function)
		}
		for _, name := range names {
			if !strings.Contains(log.String(), name+" is not set") {
				t.Errorf("%s does not say that %s is missing: %s", function, name, log.String())
			}
		}
	}
	for _, quiet := range []string{"120", "-1s", "0s", "1h", "soon"} {
		values := maps.Clone(everything)
		values[env.Quiet] = quiet
		var log strings.Builder
		if _, err := local.StartRuntime(t.Context(), filepath.Join(dir, "sweep", "bootstrap"), environ("sweep", values), &log); err == nil {
			t.Errorf("sweep starts with a quiet time of %q", quiet)
		}
		if !strings.Contains(log.String(), env.Quiet) || !strings.Contains(log.String(), "want a duration") {
			t.Errorf("sweep does not say what is wrong with %q: %s", quiet, log.String())
		}
	}
}

// A process that ends is told apart from one that is slow.
func TestRuntimeReportsAProcessThatEnds(t *testing.T) {
	script := filepath.Join(t.TempDir(), "bootstrap")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho gone >&2\nexit 3\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	_, err := local.StartRuntime(context.Background(), script, nil, &log)
	if err == nil || !strings.Contains(err.Error(), "ended before it asked for work") || log.String() != "gone\n" {
		t.Errorf("%v, log %q", err, log.String())
	}
}
