//go:build !linux

package sandbox

import "time"

// threadTime is not measured on this system.
func threadTime() time.Duration { return 0 }
