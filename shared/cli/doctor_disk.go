//go:build linux || darwin

package cli

import "golang.org/x/sys/unix"

// freeAt is how many bytes this user may still write on the disk of a folder.
func freeAt(dir string) (uint64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return 0, err
	}
	return fs.Bavail * uint64(fs.Bsize), nil
}
