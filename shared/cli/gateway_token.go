package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// tokenFile holds the token of a running penstock local, readable by its owner alone;
// it is absent where none is needed.
const tokenFile = "gateway.token"

// noteGateway notes where the folder's gateway is, for the commands that call it, and
// before that the token that it asks for.
func noteGateway(dir, url, token string) error {
	err := unnote(dir, tokenFile) // else the rights of an old file would stay
	if err == nil && token != "" {
		err = os.WriteFile(filepath.Join(dir, tokenFile), []byte(token+"\n"), 0o600)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, gatewayFile), []byte(url+"\n"), 0o600)
	}
	if err != nil {
		return fmt.Errorf("note the gateway's address: %w", err)
	}
	return nil
}

// unnote takes away what is noted in a folder of a process that is at work there.
func unnote(dir string, files ...string) error {
	var errs []error
	for _, file := range files {
		if err := os.Remove(filepath.Join(dir, file)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("take away what an earlier gateway noted: %w", err))
		}
	}
	return errors.Join(errs...)
}

// token is what the command sends: the one that it was given, by a flag or
// PENSTOCK_TOKEN, or the one that the folder's own gateway asks for; "" for none. A
// gateway elsewhere is not told the folder's.
func (c gated) token() string {
	given := cmp.Or(c.Token, os.Getenv("PENSTOCK_TOKEN"))
	if given != "" || c.Gateway != "" {
		return given
	}
	noted, err := os.ReadFile(filepath.Join(c.Data, tokenFile))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(noted))
}
