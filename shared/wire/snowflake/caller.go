package snowflake

import (
	"encoding/base64"

	"github.com/penstock-data/penstock/shared/row"
)

// HeaderRole is CURRENT_ROLE of the session that calls, which Snowflake adds to the
// requests of a function that was made with CONTEXT_HEADERS = (CURRENT_ROLE). No SQL
// can write it: a function's own HEADERS arrive as sf-custom-NAME. Nor can anybody
// else send it: API Gateway lets in the integration's AWS role alone (AWS_IAM and the
// resource policy), and only Snowflake may assume that.
const HeaderRole = "sf-context-current-role"

// caller reads who calls. Its name is taken from the header's -base64 twin: in the
// plain header characters outside ASCII are blanks, so that two roles may look alike
// there. A plain header alone counts where nothing can have been replaced in it.
//
// The role is NULL, and no header comes, where the session's primary role is a
// database role. In a procedure with owner's rights the documentation does not tell
// whose role comes: the owner's, or none. Both are taken for what they are.
func caller(header func(string) string) (row.Caller, error) {
	c := row.Caller{Names: row.Upper, Remedy: remedy}
	if header == nil {
		return c, nil
	}
	if twin := header(HeaderRole + "-base64"); twin != "" {
		name, err := base64.StdEncoding.DecodeString(twin)
		if err != nil {
			return c, row.Refuse("header %s-base64 is not base64", HeaderRole)
		}
		c.Role = string(name)
		return c, nil
	}
	if plain := header(HeaderRole); visible(plain) {
		c.Role = plain
	}
	return c, nil
}

const remedy = "the role is the session's CURRENT_ROLE, and in a procedure with owner's rights its owner's or none, so that it should be EXECUTE AS CALLER; " +
	"functions that tell no role are made again by the statements of penstock sql-setup"

// visible reports whether a text is ASCII without blanks and control characters.
func visible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
