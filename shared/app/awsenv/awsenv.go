// Package awsenv makes the SDK's configuration of a Lambda function from what
// Lambda puts in its environment: the region, the role's credentials, and where
// set the endpoints (AWS documentation, "Defined runtime environment variables").
// The SDK's own loader finds the same, but links SSO, STS, sign-in and instance
// metadata, which no function uses and whose initialisation is a quarter of a cold
// start's CPU time. Commands, which need profiles and SSO, use shared/aws.
package awsenv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/penstock-data/penstock/shared/netguard"
)

// connections is how many idle connections are kept per service: as many as the
// adapters use at once.
const connections = 64

// patience is how long a service has to take a connection, and then to begin its answer.
// The SDK has no such bound: a call that is never answered would last until Lambda ends
// the function, which is counted as a crash of the rows in its hands. A call that is cut
// off here is tried again. No function asks for what a service holds back, as a long
// poll of a queue.
const patience = 5 * time.Second

// Load reads the configuration through lookup, which is os.LookupEnv or a test's
// map. The error names every variable that is missing.
func Load(lookup func(string) (string, bool)) (aws.Config, error) {
	var missing []error
	required := func(name string) string {
		v, _ := lookup(name)
		if v == "" {
			missing = append(missing, fmt.Errorf("%s is not set", name))
		}
		return v
	}
	region, id, secret := required("AWS_REGION"), required("AWS_ACCESS_KEY_ID"), required("AWS_SECRET_ACCESS_KEY")
	if missing != nil {
		return aws.Config{}, fmt.Errorf("load the AWS configuration (Lambda sets it; elsewhere set it as Lambda would): %w", errors.Join(missing...))
	}
	session, _ := lookup("AWS_SESSION_TOKEN")
	cfg := aws.Config{
		Region:        region,
		Credentials:   credentials.NewStaticCredentialsProvider(id, secret, session),
		HTTPClient:    client(patience),
		ConfigSources: []any{endpoints(lookup)},
	}
	if all, _ := lookup(endpointURL); all != "" {
		cfg.BaseEndpoint = &all
	}
	return cfg, nil
}

// client waits so long for a connection, and so long for the head of an answer.
func client(patience time.Duration) *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithDialerOptions(func(d *net.Dialer) {
		d.Timeout = patience
	}).WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns, t.MaxIdleConnsPerHost = 2*connections, connections
		t.TLSHandshakeTimeout, t.ResponseHeaderTimeout = patience, patience
	})
}

const endpointURL = "AWS_ENDPOINT_URL"

// endpoints gives the services' clients the endpoints of the environment.
type endpoints func(string) (string, bool)

// GetServiceBaseEndpoint is what the SDK asks: AWS_ENDPOINT_URL_SECRETS_MANAGER for
// the service "Secrets Manager" (AWS SDKs and Tools Reference Guide,
// "Service-specific endpoints").
func (e endpoints) GetServiceBaseEndpoint(_ context.Context, sdkID string) (string, bool, error) {
	v, _ := e(endpointURL + "_" + strings.ReplaceAll(strings.ToUpper(sdkID), " ", "_"))
	return v, v != "", nil
}

// OneMachine reports whether the tables themselves are on this machine, as where built
// functions are tested: there destinations may be, too. On AWS it is never so, because
// a function there has no tables on its own machine.
func OneMachine(lookup func(string) (string, bool)) bool {
	for _, name := range []string{endpointURL + "_DYNAMODB", endpointURL} {
		if v, _ := lookup(name); v != "" {
			u, err := url.Parse(v)
			return err == nil && netguard.LoopbackHost(u.Host)
		}
	}
	return false
}
