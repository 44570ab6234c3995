package remote

import (
	"errors"
	"regexp"
	"strings"

	"github.com/aws/smithy-go"
)

// notAuthorized is how IAM names the action in its refusals, and the resource where there
// is one.
var notAuthorized = regexp.MustCompile(`not authorized to perform: ([A-Za-z0-9-]+:[A-Za-z*]+)(?: on resource: ([^ ]+))?`)

// Denied says in one line which action on a stack's tables, queues or keys a person's
// credentials lack; "" for any other error.
func Denied(err error) string {
	var api smithy.APIError
	if !errors.As(err, &api) || !strings.Contains(api.ErrorCode(), "AccessDenied") {
		return ""
	}
	what := "an action that the answer does not name"
	if m := notAuthorized.FindStringSubmatch(api.ErrorMessage()); m != nil {
		what = m[1]
		if m[2] != "" {
			what += " on " + m[2]
		}
	}
	doing, _, found := strings.Cut(err.Error(), "operation error ")
	if !found || strings.Contains(doing, "\n") {
		doing = ""
	}
	return doing + "your AWS credentials lack " + what + ": set AWS_PROFILE to one that has it, and run the same command again; docs/security.md lists what each command needs"
}
