package awsenv

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/penstock-data/penstock/shared/aws/attr"
)

func lookup(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
}

// Only where the tables are on this machine are destinations let be there.
func TestOneMachine(t *testing.T) {
	for name, c := range map[string]struct {
		vars map[string]string
		want bool
	}{
		"AWS":                          {map[string]string{"AWS_REGION": "eu-central-1"}, false},
		"a VPC endpoint":               {map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": "https://vpce-1.dynamodb.eu-central-1.vpce.amazonaws.com"}, false},
		"a private address":            {map[string]string{"AWS_ENDPOINT_URL": "http://10.0.0.1:8000"}, false},
		"a container beside":           {map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": "http://dynamodb:8000"}, false},
		"tables here":                  {map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:8000"}, true},
		"all here":                     {map[string]string{"AWS_ENDPOINT_URL": "http://localhost:4566"}, true},
		"all here, tables elsewhere":   {map[string]string{"AWS_ENDPOINT_URL": "http://localhost:4566", "AWS_ENDPOINT_URL_DYNAMODB": "https://dynamodb.eu-central-1.amazonaws.com"}, false},
		"no address":                   {map[string]string{"AWS_ENDPOINT_URL": "::"}, false},
		"secrets here, tables on AWS":  {map[string]string{"AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://127.0.0.1:1"}, false},
		"a name that begins like ours": {map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1.evil.example"}, false},
	} {
		if got := OneMachine(func(k string) (string, bool) { v, ok := c.vars[k]; return v, ok }); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestLoad(t *testing.T) {
	cfg, err := Load(lookup(map[string]string{
		"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "session",
		"AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://127.0.0.1:2",
	}))
	if err != nil {
		t.Fatal(err)
	}
	c, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil || c.AccessKeyID != "id" || c.SecretAccessKey != "secret" || c.SessionToken != "session" || c.CanExpire {
		t.Errorf("credentials of %q, %v", c.AccessKeyID, err)
	}
	if got := sqs.NewFromConfig(cfg).Options(); aws.ToString(got.BaseEndpoint) != "http://127.0.0.1:1" || got.Region != "eu-central-1" {
		t.Errorf("SQS at %v in %s", got.BaseEndpoint, got.Region)
	}
	if got := secretsmanager.NewFromConfig(cfg).Options().BaseEndpoint; aws.ToString(got) != "http://127.0.0.1:2" {
		t.Errorf("Secrets Manager at %v", got)
	}
	if got := dynamodb.NewFromConfig(cfg).Options().BaseEndpoint; got != nil {
		t.Errorf("DynamoDB at %s, want the region's own", *got)
	}
}

func TestLoadTakesOneEndpointForAll(t *testing.T) {
	cfg, err := Load(lookup(map[string]string{
		"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_ENDPOINT_URL": "http://127.0.0.1:3",
	}))
	if err != nil {
		t.Fatal(err)
	}
	if got := dynamodb.NewFromConfig(cfg).Options().BaseEndpoint; aws.ToString(got) != "http://127.0.0.1:3" {
		t.Errorf("DynamoDB at %v", got)
	}
}

func TestLoadNamesWhatIsMissing(t *testing.T) {
	_, err := Load(lookup(map[string]string{"AWS_SECRET_ACCESS_KEY": "hunter2"}))
	if err == nil || !strings.Contains(err.Error(), "AWS_REGION is not set") || !strings.Contains(err.Error(), "AWS_ACCESS_KEY_ID is not set") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v", err)
	}
}

// A service that takes a call and never answers it is asked again, well before the
// function's time is over.
func TestAnswerThatNeverComes(t *testing.T) {
	vars := map[string]string{"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"}
	cfg, err := Load(lookup(vars))
	if err != nil {
		t.Fatal(err)
	}
	loaded, is := cfg.HTTPClient.(*awshttp.BuildableClient)
	if !is {
		t.Fatalf("the client is a %T", cfg.HTTPClient)
	}
	if tr := loaded.GetTransport(); tr.ResponseHeaderTimeout != patience || tr.TLSHandshakeTimeout != patience || loaded.GetDialer().Timeout != patience {
		t.Errorf("an answer may take %v, a handshake %v, a connection %v", tr.ResponseHeaderTimeout, tr.TLSHandshakeTimeout, loaded.GetDialer().Timeout)
	}
	for name, call := range map[string]func(aws.Config) error{
		"DynamoDB": func(cfg aws.Config) error {
			_, err := attr.Client(cfg).PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("t"), Item: attr.Key("a", "b")})
			return err
		},
		"SQS": func(cfg aws.Config) error {
			_, err := sqs.NewFromConfig(cfg).DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: aws.String("https://sqs.example/q"), ReceiptHandle: aws.String("r")})
			return err
		},
	} {
		var asked atomic.Int32
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if asked.Add(1) > 1 {
				_, _ = w.Write([]byte("{}"))
				return
			}
			if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
				t.Cleanup(func() { _ = c.Close() })
			}
		}))
		t.Cleanup(server.Close)
		cfg.HTTPClient, cfg.BaseEndpoint = client(100*time.Millisecond), aws.String(server.URL)
		if err := call(cfg); err != nil || asked.Load() < 2 {
			t.Errorf("%s: %v after %d calls", name, err, asked.Load())
		}
	}
}
