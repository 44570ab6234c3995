//go:build !linux && !darwin

package cli

import "errors"

// freeAt is how many bytes this user may still write on the disk of a folder.
func freeAt(string) (uint64, error) { return 0, errors.ErrUnsupported }
