package cli

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/aws/awstest"
)

// cloud answers as the services of AWS would that doctor asks, of a stack without syncs.
type cloud struct {
	status, trust, policy string
	dead                  string // messages in the dead letters
	denied                string // an action that the credentials lack
	skew                  time.Duration
}

const snowUser = "arn:aws:iam::210987654321:user/snow"

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	target, form := r.Header.Get("X-Amz-Target"), string(body)
	w.Header().Set("Date", noon.Add(-c.skew).Format(http.TimeFormat))
	deny := func(action string) bool {
		if c.denied != action {
			return false
		}
		w.Header().Set("X-Amzn-ErrorType", "AccessDeniedException")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"__type":"AccessDeniedException","message":"no"}`)
		return true
	}
	output := func(key, value string) string {
		return "<member><OutputKey>" + key + "</OutputKey><OutputValue>" + value + "</OutputValue></member>"
	}
	switch {
	case strings.HasPrefix(target, "DynamoDB"):
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		fmt.Fprint(w, `{"Items":[],"Count":0,"ScannedCount":0,"Responses":{},"UnprocessedKeys":{}}`)
	case strings.HasPrefix(target, "AmazonSQS"):
		if deny("sqs") {
			return
		}
		n := "3"
		if strings.Contains(form, "dlq") {
			n = c.dead
		}
		fmt.Fprintf(w, `{"Attributes":{"ApproximateNumberOfMessages":%q,"ApproximateNumberOfMessagesNotVisible":"0","RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:eu:1:one-salesforce-dlq.fifo\",\"maxReceiveCount\":1000}"}}`, n)
	case strings.HasPrefix(r.URL.Path, "/restapis/abc"):
		if !deny("apigateway") {
			fmt.Fprintf(w, `{"id":"abc","policy":%q}`, c.policy)
		}
	case strings.Contains(form, "Action=GetRole"):
		fmt.Fprintf(w, `<GetRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetRoleResult><Role><Path>/</Path><RoleName>one-Role</RoleName><RoleId>A</RoleId><Arn>a</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate><AssumeRolePolicyDocument>%s</AssumeRolePolicyDocument></Role></GetRoleResult></GetRoleResponse>`, url.QueryEscape(c.trust))
	case strings.Contains(form, "Action=DescribeStacks"):
		fmt.Fprintf(w, `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks><member><StackName>one</StackName><StackStatus>%s</StackStatus><CreationTime>2026-01-01T00:00:00Z</CreationTime><Outputs>%s</Outputs><Parameters><member><ParameterKey>SnowflakeUserArn</ParameterKey><ParameterValue>%s</ParameterValue></member><member><ParameterKey>SnowflakeExternalId</ParameterKey><ParameterValue>ID=1</ParameterValue></member></Parameters></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`,
			c.status, output("StateTable", "s")+output("LedgerTable", "l")+output("ErrorsTable", "e")+output("ApiUrl", "https://abc.execute-api.eu-west-1.amazonaws.com/v1")+
				output("SnowflakeRoleArn", "arn:aws:iam::1:role/one-Role")+output("SalesforceQueue", "http://"+r.Host+"/1/one-salesforce.fifo")+output("SecretPrefix", "one/"), snowUser)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// examine runs doctor over the cloud, and answers what it prints.
func (c *cloud) examine(t *testing.T) (string, error) {
	t.Helper()
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	awstest.Environment(t, server.URL)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "connections.yaml"), []byte("connections: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	s := program{out: &out, err: &out, clock: clock{now: func() time.Time { return noon }, zone: time.UTC}, known: listed()}
	err := doctorCmd{Stack: "one", Syncs: dir, Wait: 20 * time.Second, asking: asking{Data: filepath.Join(dir, "none")}}.Run(t.Context(), s)
	for line := range strings.Lines(out.String()) {
		if len([]rune(strings.TrimRight(line, "\n"))) > widest {
			t.Errorf("a line is wider than %d: %s", widest, line)
		}
	}
	return strings.Join(strings.Fields(out.String()), " "), err
}

// A stack is examined from outside: how its deployment ended, tables, queues, whom role
// and API let in, the clock; and one that cannot be looked into hides no other.
func TestDoctorStack(t *testing.T) {
	const trust = `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"` + snowUser + `"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"ID=1"}}}]}`
	const policy = `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:sts::1:assumed-role/one-Role/snowflake"},"Action":"execute-api:Invoke","Resource":"execute-api:/v1/POST/push"}]}`
	for name, test := range map[string]struct {
		change func(*cloud)
		fails  bool
		says   []string
	}{
		"well": {func(*cloud) {}, false, []string{
			"ok stack: UPDATE_COMPLETE", "ok tables:", "ok trust:", "ok policy:", "ok queue salesforce: 3 messages wait", "ok clock: within 30s of AWS", "nothing fails",
		}},
		"a deployment that failed": {func(c *cloud) { c.status = "UPDATE_ROLLBACK_COMPLETE" }, false, []string{"warn stack: UPDATE_ROLLBACK_COMPLETE", "describe-stack-events --stack-name one"}},
		"another user":             {func(c *cloud) { c.trust = strings.ReplaceAll(trust, "user/snow", "user/else") }, true, []string{"fail trust:", "user/else", "-> docs/deploy.md", "ok policy:"}},
		"open to everybody": {func(c *cloud) {
			c.policy = strings.ReplaceAll(policy, `{"AWS":"arn:aws:sts::1:assumed-role/one-Role/snowflake"}`, `"*"`)
		}, true, []string{"fail policy:", "open to everybody", "ok trust:"}},
		"dead letters":           {func(c *cloud) { c.dead = "2" }, false, []string{"warn queue salesforce:", "2 messages in the dead letters", "errors RUN --stack one"}},
		"may not look":           {func(c *cloud) { c.denied = "apigateway" }, false, []string{"warn policy:", "they lack apigateway:GET", "ok trust:"}},
		"a clock that is behind": {func(c *cloud) { c.skew = -10 * time.Minute }, true, []string{"fail clock:", "behind AWS", "set the clock by NTP"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := &cloud{status: "UPDATE_COMPLETE", trust: trust, policy: policy, dead: "0"}
			test.change(c)
			out, err := c.examine(t)
			if (err != nil) != test.fails {
				t.Errorf("%v: %s", err, out)
			}
			for _, says := range test.says {
				if !strings.Contains(out, says) {
					t.Errorf("it does not say %q: %s", says, out)
				}
			}
		})
	}
}
