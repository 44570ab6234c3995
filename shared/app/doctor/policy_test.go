package doctor

import (
	"strconv"
	"strings"
	"testing"
)

const user = "arn:aws:iam::210987654321:user/snow"

// trusting is a trust policy of one statement.
func trusting(principal, condition string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole"` + condition + `}]}`
}

func TestTrust(t *testing.T) {
	const id = `,"Condition":{"StringEquals":{"sts:ExternalId":"ID=1"}}`
	for name, test := range map[string]struct {
		document string
		want     Verdict
		says     string
	}{
		"as it should be":   {trusting(`{"AWS":"`+user+`"}`, id), OK, "nobody else"},
		"as lists":          {trusting(`{"AWS":["`+user+`"]}`, `,"Condition":{"StringEquals":{"sts:ExternalId":["ID=1"]}}`), OK, ""},
		"everybody":         {trusting(`"*"`, id), Fail, "anybody"},
		"the whole account": {trusting(`{"AWS":"arn:aws:iam::123456789012:root"}`, id), Fail, "anybody"},
		"another user":      {trusting(`{"AWS":"arn:aws:iam::210987654321:user/other"}`, id), Fail, "user/other"},
		"one more":          {trusting(`{"AWS":["`+user+`","arn:aws:iam::1:user/x"]}`, id), Fail, "user/x"},
		"a deleted user":    {trusting(`{"AWS":"AIDAEXAMPLE"}`, id), Fail, "does not exist any more"},
		"another id":        {trusting(`{"AWS":"`+user+`"}`, `,"Condition":{"StringEquals":{"sts:ExternalId":"ID=2"}}`), Fail, "external id"},
		"no id":             {trusting(`{"AWS":"`+user+`"}`, ""), Fail, "external id"},
		"nobody yet":        {`{"Statement":{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::123456789012:root"}}}`, Warn, "nobody may assume"},
		"no document":       {"", Fail, "cannot be read"},
	} {
		got := Trust(test.document, user, "ID=1")
		if got.Verdict != test.want || !strings.Contains(got.Detail, test.says) || (got.Remedy == "") != (test.want == OK) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestAccess(t *testing.T) {
	const (
		role  = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:sts::123456789012:assumed-role/one-SnowflakeRole-X/snowflake"},"Action":"execute-api:Invoke","Resource":["execute-api:/v1/POST/push"]}`
		token = `{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:eu-west-1:1:abc/v1/POST/token/*"}`
		open  = `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"execute-api:Invoke","Resource":"execute-api:/v1/*"}`
		more  = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::1:user/x"},"Action":"execute-api:Invoke","Resource":"execute-api:/*"}`
		deny  = `{"Effect":"Deny","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/*"}`
	)
	all := func(statements ...string) string {
		return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
	}
	escaped := strconv.Quote(all(role))
	for name, test := range map[string]struct {
		document string
		want     Verdict
		says     string
	}{
		"as it should be":      {all(role), OK, ""},
		"with tokens":          {all(role, token, deny), OK, ""},
		"with escaped quotes":  {escaped[1 : len(escaped)-1], OK, ""},
		"open to everybody":    {all(role, open), Fail, "open to everybody at execute-api:/v1/*"},
		"somebody more":        {all(role, more), Fail, "user/x"},
		"nobody":               {all(deny), Fail, "does not admit the role"},
		"none":                 {"", Fail, "no resource policy"},
		"what cannot be read":  {"{", Fail, "cannot be read"},
		"another stack's role": {all(strings.ReplaceAll(role, "one-", "two-")), Fail, "two-SnowflakeRole"},
	} {
		got := Access(test.document, "one-SnowflakeRole-X")
		if got.Verdict != test.want || !strings.Contains(got.Detail, test.says) || (got.Remedy == "") != (test.want == OK) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
