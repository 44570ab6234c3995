// Package aws loads the SDK's configuration for the adapters in its folders: one
// package per concern, so that no function links a service that it does not use.
// The adapters take the names of tables and queues from their caller; where the
// services are, and with what credentials, the SDK reads from the environment
// (AWS_REGION, AWS_ENDPOINT_URL_SQS, AWS_ENDPOINT_URL_DYNAMODB, ...).
package aws

import (
	"context"
	"fmt"
	"net/http"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
)

// connections is how many idle connections are kept per service: as many as the
// adapters use at once, or each further one is closed after a single call.
const connections = 64

// patience is how long a service has to begin its answer, after which a call is tried
// again: longer than the 20 s for which SQS may hold a receive back.
const patience = 30 * time.Second

// Load reads region, endpoints and credentials.
func Load(ctx context.Context) (sdk.Config, error) {
	// A plain *http.Client makes LoadDefaultConfig fail where AWS_CA_BUNDLE is set.
	client := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns, t.MaxIdleConnsPerHost = 2*connections, connections
		t.ResponseHeaderTimeout = patience
	})
	cfg, err := config.LoadDefaultConfig(ctx, config.WithHTTPClient(client))
	if err != nil {
		return sdk.Config{}, fmt.Errorf("load the AWS configuration: %w", err)
	}
	return cfg, nil
}
