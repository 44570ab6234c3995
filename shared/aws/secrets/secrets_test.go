package secrets

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	gocmp "github.com/google/go-cmp/cmp"
)

// fakeManager holds secrets as Secrets Manager does; "" is one without a value. Of
// refusals it knows the codes and messages by the secret's name.
type fakeManager map[string]string

var refusals = map[string][2]string{
	"penstock/doomed": {"InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion."},
	"penstock/gone":   {"InvalidRequestException", "You tried to perform the operation on a secret that's currently marked deleted."},
	"penstock/other":  {"AccessDeniedException", "User: arn:aws:sts::123456789012:assumed-role/x/y is not authorized to perform: secretsmanager:GetSecretValue"},
	"penstock/key":    {"DecryptionFailure", "Secrets Manager can't decrypt the protected secret text using the provided KMS key."},
	"penstock/slow":   {"ThrottlingException", "Rate exceeded"},
}

func (f fakeManager) Do(req *http.Request) (*http.Response, error) {
	var asked struct{ SecretId string }
	if err := json.NewDecoder(req.Body).Decode(&asked); err != nil {
		return nil, err
	}
	status, answer := 200, map[string]string{"SecretString": strings.TrimPrefix(f[asked.SecretId], "EMPTY")}
	if value, ok := f[asked.SecretId]; value == "" {
		missing := "secret."
		if ok {
			missing = "secret value for staging label: AWSCURRENT"
		}
		status, answer = 400, map[string]string{"__type": "ResourceNotFoundException", "Message": "Secrets Manager can't find the specified " + missing}
	}
	if refusal, ok := refusals[asked.SecretId]; ok {
		status, answer = 400, map[string]string{"__type": refusal[0], "Message": refusal[1]}
	}
	if asked.SecretId == "penstock/bytes" {
		status, answer = 200, map[string]string{"SecretBinary": "aHVudGVyMg=="}
	}
	b, err := json.Marshal(answer)
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(b))), Request: req}, err
}

func TestSecret(t *testing.T) {
	r := New(aws.Config{Region: "us-east-1", Credentials: aws.AnonymousCredentials{}, RetryMaxAttempts: 1, HTTPClient: fakeManager{
		"penstock/sf": `{"client_id":"a","client_secret":"hunter2"}`, "penstock/list": `["hunter2"]`, "penstock/number": `{"a":31337}`,
		"penstock/null": `null`, "penstock/text": `hunter2`, "penstock/unset": "", "penstock/empty": "EMPTY", "penstock/spaces": " \n", "penstock/members": `{}`,
	}}, Config{Prefix: "penstock/"})
	got, err := r.Secret(t.Context(), "sf")
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(map[string]string{"client_id": "a", "client_secret": "hunter2"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	remedies := map[string]string{
		"doomed": "run: aws secretsmanager restore-secret --secret-id penstock/doomed", "gone": "restore-secret --secret-id penstock/gone",
		"absent": "if there is no such secret, first deploy the stack with this connection", "other": "deploy the stack with this connection",
	}
	for name, want := range map[string]string{
		"absent": "has no value or does not exist", "unset": "has no value or does not exist", "empty": "is empty", "spaces": "is empty", "members": "is an empty JSON object",
		"list": "is not a JSON object of strings", "number": "is not a JSON object of strings", "null": "is not a JSON object of strings", "text": "is not a JSON object of strings",
		"bytes": "holds bytes, not text", "doomed": "is scheduled for deletion", "gone": "is scheduled for deletion", "other": "may not be read by this function's role",
	} {
		_, err := r.Secret(t.Context(), name)
		id := "penstock/" + name
		// One message: which, where, what, and the whole remedy.
		if err == nil || !strings.HasPrefix(err.Error(), `the secret "`+id+`" in AWS Secrets Manager `+want+": ") || strings.Contains(err.Error(), "\n") ||
			!strings.Contains(err.Error(), cmp.Or(remedies[name], "run: aws secretsmanager put-secret-value --secret-id "+id+" ")) {
			t.Errorf("%s: got %v, want %q in it", name, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "31337")) {
			t.Errorf("%s: the error holds the secret (I6)", name)
		}
	}
	// What is nobody's mistake, or the key's, stays as AWS says it.
	for name, want := range map[string]string{"key": "DecryptionFailure", "slow": "ThrottlingException"} {
		if _, err := r.Secret(t.Context(), name); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "put-secret-value") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
