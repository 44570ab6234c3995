//go:build mutants

package pipeline_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMutants puts each mutant into the source by an overlay, and wants it killed.
// PENSTOCK_MUTANT runs those whose name has that text.
func TestMutants(t *testing.T) {
	shared, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	survived := 0
	if out, err := exec.Command("go", "test", "-skip", "TestSimulation", ".").CombinedOutput(); err != nil {
		t.Fatalf("the tests fail without a mutant: %s", out)
	}
	for _, m := range mutants {
		if !strings.Contains(m.name, os.Getenv("PENSTOCK_MUTANT")) {
			continue
		}
		overlay, err := m.overlay(t.TempDir(), shared)
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
			continue
		}
		by, err := m.killed(shared, overlay)
		switch {
		case err != nil:
			t.Errorf("%s: %v", m.name, err)
		case by == "":
			survived++
			fmt.Printf("SURVIVED %s\n", m.name)
			t.Errorf("%s: no test fails", m.name)
		default:
			fmt.Printf("killed   %s, by %s\n", m.name, by)
		}
	}
	fmt.Printf("%d mutants, %d survived\n", len(mutants), survived)
}

// overlay writes the mutated file, and the file that tells go of it.
func (m mutant) overlay(dir, shared string) (string, error) {
	path, text, err := m.apply(shared)
	if err != nil {
		return "", err
	}
	mutated := filepath.Join(dir, "mutant.go")
	if err := os.WriteFile(mutated, []byte(text), 0o600); err != nil {
		return "", err
	}
	list, err := json.Marshal(map[string]map[string]string{"Replace": {path: mutated}})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, list, 0o600)
}

// killed says by which suite; "" when by none.
func (m mutant) killed(shared, overlay string) (string, error) {
	run := func(args ...string) (string, error) {
		c := exec.Command("go", args...)
		c.Dir = shared
		c.Env = append(os.Environ(), "PENSTOCK_SHRINK=no", "PENSTOCK_SEEDS="+seedsOf())
		out, err := c.CombinedOutput()
		return string(out), err
	}
	for _, s := range m.suites {
		out, err := run("test", "-vet=off", "-overlay", overlay, "-timeout", "5m", "-skip", "TestSimulation|TestFound", "./"+s)
		if strings.Contains(out, "[build failed]") {
			return "", fmt.Errorf("it does not compile: %s", out)
		}
		if killedBy := firstFailure(out); err != nil {
			return s + " " + killedBy, ended(err)
		}
	}
	out, err := run("test", "-vet=off", "-overlay", overlay, "-timeout", "10m", "-run", "TestSimulation|TestFound", "./pipeline")
	if err != nil {
		return "the simulation " + firstFailure(out), ended(err)
	}
	return "", nil
}

// seedsOf is how many seeds try each mutant: PENSTOCK_SEEDS, or 150.
func seedsOf() string {
	if n := os.Getenv("PENSTOCK_SEEDS"); n != "" {
		return n
	}
	return "150"
}

func firstFailure(out string) string {
	for line := range strings.Lines(out) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "--- FAIL: "); ok {
			return name
		}
		if strings.HasPrefix(line, "simulation:") && !strings.Contains(line, "failing: []") || strings.HasPrefix(line, "panic:") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// ended is an error that is not a test's failure.
func ended(err error) error {
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil
	}
	return err
}
