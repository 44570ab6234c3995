//go:build !unix

package machine

import "os"

// tryLock does not guard against a second process here.
func tryLock(*os.File) (bool, error) { return true, nil }
