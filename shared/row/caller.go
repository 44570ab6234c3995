package row

import (
	"fmt"
	"strings"
)

// A Caller is who sent a request, as the caller's own system vouches for it: a wire
// protocol reads it where nobody but that system can write. The zero Caller is
// somebody of whom nothing was told.
type Caller struct {
	// Role is the name exactly as the system stores it: Snowflake's CURRENT_ROLE, of
	// which an unquoted ANALYST and a quoted "analyst" are two. "" when none came.
	Role string
	// Within is where the role is one, for systems in which a definition may write
	// within/role as well: Redshift's database. "" where there is nothing of the kind.
	Within string
	// User is who is behind the role where the caller's system tells both, and the role is
	// trusted to tell the truth of it: either name may be what a definition allows.
	// BigQuery's role is the service account that carries the call, its user the person
	// who runs the query. "" where nothing of the kind came.
	User string
	// Names is how a name that a definition writes is read.
	Names Naming
	// Owner is the person on whose machine all this runs; everything is theirs.
	Owner bool
	// Remedy says, for people, how this kind of caller tells its role.
	Remedy string
}

// Naming is how a system reads the names that people write.
type Naming uint8

// The namings.
const (
	Exact Naming = iota // as it is written
	Upper               // as a SQL identifier that is stored in capitals, unless it is quoted
	Lower               // as one that is stored in small letters, unless it is quoted
)

// Is reports whether a name that a definition writes is the caller's role or user. They are
// compared as they are stored, byte by byte: nothing is trimmed, folded or unquoted
// of what came, so that nobody can make a role that passes for another.
func (c Caller) Is(written string) bool {
	if c.Within != "" {
		within, role, both := split(written)
		return c.Role != "" && c.Role == c.Names.stored(role) && (!both || c.Within == c.Names.stored(within))
	}
	stored := c.Names.stored(written)
	return c.Role != "" && c.Role == stored || c.User != "" && c.User == stored
}

// split takes a written within/role apart at its first slash outside of double quotes,
// so that a role with a slash in its name has to be quoted and is no other's.
func split(written string) (within, role string, both bool) {
	quoted := false
	for i := range len(written) {
		switch {
		case written[i] == '"':
			quoted = !quoted
		case written[i] == '/' && !quoted:
			return written[:i], written[i+1:], true
		}
	}
	return "", written, false
}

// Named are the caller's names for people: the role, and the user behind it.
func (c Caller) Named() string {
	if c.User == "" {
		return fmt.Sprintf("the role %q", c.Role)
	}
	return fmt.Sprintf("the role %q (of the user %q)", c.Role, c.User)
}

// stored is how the system stores a name that is written like this: "Data Team" is
// Data Team, analyst is ANALYST, and what is no identifier stands for itself.
func (n Naming) stored(written string) string {
	if n == Exact {
		return written
	}
	if len(written) >= 2 && written[0] == '"' && written[len(written)-1] == '"' {
		return strings.ReplaceAll(written[1:len(written)-1], `""`, `"`)
	}
	switch {
	case !identifier(written):
		return written
	case n == Upper:
		return strings.ToUpper(written)
	}
	return strings.ToLower(written)
}

// identifier reports whether a name may stand in SQL without quotes (Snowflake
// documentation, "Identifier requirements").
func identifier(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_':
		case i > 0 && (c >= '0' && c <= '9' || c == '$'):
		default:
			return false
		}
	}
	return s != ""
}
