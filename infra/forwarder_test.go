package infra_test

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The forwarder's image is built of what it copies, holds nothing else than program and
// certificates, and does not run as root.
func TestForwarderImage(t *testing.T) {
	text, err := os.ReadFile("forwarder.Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	_, last, ok := strings.Cut(string(text), "FROM scratch\n")
	if !ok || strings.Count(string(text), "FROM ") != 2 {
		t.Fatal("the image is not built from scratch")
	}
	for _, want := range []string{"USER 65534:65534\n", `ENTRYPOINT ["/forwarder"]`, "ca-certificates.crt"} {
		if !strings.Contains(last, want) {
			t.Errorf("the image lacks %s", want)
		}
	}
	var copied []string
	for _, m := range regexp.MustCompile(`(?m)^COPY (\S+) (\S+)$`).FindAllStringSubmatch(string(text), -1) {
		if m[1] != m[2] {
			t.Errorf("%s is copied to %s", m[1], m[2])
		}
		copied = append(copied, m[1])
	}
	cmd := exec.Command("go", "list", "-deps", "../cmd/forwarder")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, dep := range strings.Fields(string(out)) {
		if own, ok := strings.CutPrefix(dep, "github.com/penstock-data/penstock/"); ok && !slices.ContainsFunc(copied, func(dir string) bool { return own == dir || strings.HasPrefix(own, dir+"/") }) {
			t.Errorf("the forwarder needs %s, which the image is not built with", own)
		}
		for _, never := range []string{"github.com/aws/", "modernc.org/", "github.com/duckdb/", "/shared/pipeline", "/shared/dest", "/shared/sandbox", "os/exec"} {
			if strings.Contains(dep, never) {
				t.Errorf("the forwarder links %s", dep)
			}
		}
	}
}
