package secrets

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"
)

// fakeManager holds secrets as Secrets Manager does; "" is one without a value.
type fakeManager map[string]string

func (f fakeManager) Do(req *http.Request) (*http.Response, error) {
	var asked struct{ SecretId string }
	if err := json.NewDecoder(req.Body).Decode(&asked); err != nil {
		return nil, err
	}
	status, answer := 200, map[string]string{"SecretString": f[asked.SecretId]}
	if value, ok := f[asked.SecretId]; value == "" {
		missing := "secret."
		if ok {
			missing = "secret value for staging label: AWSCURRENT"
		}
		status, answer = 400, map[string]string{"__type": "ResourceNotFoundException", "Message": "Secrets Manager can't find the specified " + missing}
	}
	b, err := json.Marshal(answer)
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(b))), Request: req}, err
}

func TestSecret(t *testing.T) {
	r := New(aws.Config{Region: "us-east-1", Credentials: aws.AnonymousCredentials{}, RetryMaxAttempts: 1, HTTPClient: fakeManager{
		"penstock/sf": `{"client_id":"a","client_secret":"hunter2"}`, "penstock/list": `["hunter2"]`, "penstock/number": `{"a":31337}`,
		"penstock/null": `null`, "penstock/text": `hunter2`, "penstock/empty": "", "sf2": `{}`,
	}}, Config{Prefix: "penstock/"})
	got, err := r.Secret(t.Context(), "sf")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"client_id": "a", "client_secret": "hunter2"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{
		"sf2": "create-secret --name penstock/sf2", "empty": "put-secret-value --secret-id penstock/empty", "list": "not a JSON object of strings", "number": "not a JSON object of strings",
		"null": "not a JSON object of strings", "text": "put-secret-value --secret-id penstock/text",
	} {
		_, err := r.Secret(t.Context(), name)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q in it", name, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "31337")) {
			t.Errorf("%s: the error holds the secret (I6)", name)
		}
	}
}
