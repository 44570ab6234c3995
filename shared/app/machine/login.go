package machine

import (
	"cmp"
	"os"
	"os/user"
)

// Login is the login name of the person whose process this is, for the audit log; ""
// where the system tells none.
func Login() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return cmp.Or(os.Getenv("USER"), os.Getenv("USERNAME"))
}
