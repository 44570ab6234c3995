package aws

import (
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// A call that is never answered ends, and a receive that SQS holds back for 20 s does not.
func TestLoadBoundsTheWait(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-central-1")
	t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/none")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/none")
	cfg, err := Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client, is := cfg.HTTPClient.(*awshttp.BuildableClient)
	if !is {
		t.Fatalf("the client is a %T", cfg.HTTPClient)
	}
	if got := client.GetTransport().ResponseHeaderTimeout; got <= 20*time.Second || got > time.Minute {
		t.Errorf("an answer may take %v", got)
	}
}
