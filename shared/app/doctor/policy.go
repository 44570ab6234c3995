package doctor

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A policy is IAM's (AWS documentation, "Grammar of the IAM JSON policy language"), as far
// as it is judged.
type policy struct {
	Statement list[statement] `json:"Statement"`
}

type statement struct {
	Effect    string                             `json:"Effect"`
	Principal json.RawMessage                    `json:"Principal"`
	Resource  list[string]                       `json:"Resource"`
	Condition map[string]map[string]list[string] `json:"Condition"`
}

// A list is one value or several.
type list[T any] []T

// UnmarshalJSON implements json.Unmarshaler.
func (l *list[T]) UnmarshalJSON(b []byte) error {
	var several []T
	if json.Unmarshal(b, &several) == nil {
		*l = several
		return nil
	}
	var one T
	if err := json.Unmarshal(b, &one); err != nil {
		return err
	}
	*l = list[T]{one}
	return nil
}

// principals are whom a statement is of: ARNs, or *.
func (s *statement) principals() []string {
	var any string
	if json.Unmarshal(s.Principal, &any) == nil {
		return []string{any}
	}
	var kinds map[string]list[string]
	if json.Unmarshal(s.Principal, &kinds) != nil {
		return []string{"?"}
	}
	var all []string
	for _, names := range kinds {
		all = append(all, names...)
	}
	slices.Sort(all)
	return all
}

// readPolicy reads a document; API Gateway gives its with the quotes escaped.
func readPolicy(text string) (p policy, err error) {
	if err = json.Unmarshal([]byte(text), &p); err == nil {
		return p, nil
	}
	plain, quoted := strconv.Unquote(`"` + text + `"`)
	if quoted != nil {
		return p, err
	}
	return p, json.Unmarshal([]byte(plain), &p)
}

// Trust judges the trust policy of the role that a warehouse assumes: it lets in the one
// principal that the stack's parameters name, with its external id, and nobody else. Both
// are "" where the stack was deployed without them.
func Trust(document, principal, externalID string) Finding {
	const page = "docs/deploy.md: deploy again with SnowflakeUserArn and SnowflakeExternalId as DESC INTEGRATION shows them"
	f := Finding{Check: "trust", Verdict: OK, Detail: "the role lets in " + principal + " with its external id, and nobody else"}
	fail := func(format string, args ...any) Finding {
		f.Verdict, f.Detail, f.Remedy = Fail, fmt.Sprintf(format, args...), page
		return f
	}
	p, err := readPolicy(document)
	if err != nil {
		return fail("the role's trust policy cannot be read")
	}
	allowed := 0
	for i := range p.Statement {
		s := &p.Statement[i]
		if s.Effect != "Allow" {
			continue
		}
		allowed++
		for _, who := range s.principals() {
			switch {
			case who == "*" || strings.HasSuffix(who, ":root"):
				return fail("the role may be assumed by %s: anybody there", who)
			case strings.HasPrefix(who, "AIDA") || strings.HasPrefix(who, "AROA"):
				return fail("the principal that the role lets in does not exist any more: the integration was made anew")
			case who != principal:
				return fail("the role lets in %s, the stack's parameters name %s", who, orNobody(principal))
			}
		}
		ids := s.Condition["StringEquals"]["sts:ExternalId"]
		if len(ids) != 1 || ids[0] != externalID {
			return fail("the role's condition has another external id than the stack's parameters, or none")
		}
	}
	if allowed == 0 {
		f.Verdict, f.Detail, f.Remedy = Warn, "nobody may assume the role yet: Snowflake cannot call", page
	}
	return f
}

func orNobody(name string) string {
	if name == "" {
		return "nobody"
	}
	return name
}

// Access judges the API's resource policy: it admits the session of the warehouse's role,
// and everybody at the addresses for callers with tokens alone, whom the authorizer
// judges.
func Access(document, role string) Finding {
	f := Finding{Check: "policy", Verdict: OK, Detail: "the API admits the warehouse's role, and nobody else without a token"}
	fail := func(format string, args ...any) Finding {
		f.Verdict, f.Detail = Fail, fmt.Sprintf(format, args...)
		f.Remedy = "deploy the stack again: its template has the policy; nobody should change it by hand (docs/deploy.md)"
		return f
	}
	if document == "" {
		return fail("the API has no resource policy: anybody of the account may call it")
	}
	p, err := readPolicy(document)
	if err != nil {
		return fail("the API's resource policy cannot be read")
	}
	admits := false
	for i := range p.Statement {
		s := &p.Statement[i]
		if s.Effect != "Allow" {
			continue
		}
		for _, who := range s.principals() {
			switch {
			case who == "*":
				for _, r := range s.Resource {
					if !strings.Contains(r, "/POST/token/") {
						return fail("the API is open to everybody at %s", r)
					}
				}
			case strings.HasSuffix(who, ":assumed-role/"+role+"/snowflake"):
				admits = true
			default:
				return fail("the API admits %s, whom the template does not name", who)
			}
		}
	}
	if !admits {
		return fail("the API does not admit the role %s: no warehouse can call it", role)
	}
	return f
}
