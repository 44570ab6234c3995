//go:build ignore

// Modzip lays a module out as a module proxy serves it, so that `go install
// MODULE/PACKAGE@VERSION` can be tried before anything is published:
//
//	go run -modfile=infra/tools.mod .ci/modzip.go DIR PROXY VERSION
//
// PROXY is the folder that GOPROXY=file://PROXY names.
package main

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: modzip DIR PROXY VERSION")
	}
	if err := layOut(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		log.Fatal(err)
	}
}

func layOut(dir, proxy, version string) error {
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return err
	}
	mod, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		return err
	}
	if len(mod.Replace) > 0 || len(mod.Exclude) > 0 {
		return fmt.Errorf("go.mod has replace or exclude, with which go install refuses it")
	}
	to := filepath.Join(proxy, filepath.FromSlash(mod.Module.Mod.Path), "@v")
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for name, body := range map[string]string{"list": version + "\n", version + ".info": fmt.Sprintf("{\"Version\":%q}\n", version), version + ".mod": string(text)} {
		if err := os.WriteFile(filepath.Join(to, name), []byte(body), 0o644); err != nil {
			return err
		}
	}
	out, err := os.Create(filepath.Join(to, version+".zip"))
	if err != nil {
		return err
	}
	// What is committed, as the Go command would take it from the repository.
	if err := zip.CreateFromVCS(out, module.Version{Path: mod.Module.Mod.Path, Version: version}, dir, "HEAD", ""); err != nil {
		return err
	}
	return out.Close()
}
