//go:build !linux && !darwin

package cli

import "errors"

// roomAt is how many bytes this user may still write on the disk of a folder.
func roomAt(string) (uint64, error) { return 0, errors.ErrUnsupported }
