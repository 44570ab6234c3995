// Package secrets reads connections' secrets from AWS Secrets Manager. A secret is
// a JSON object of strings. It caches nothing and never logs.
package secrets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// Config says how secrets are named.
type Config struct {
	Prefix string // put before a secret's name, e.g. "penstock/"; may be empty
}

// A Reader reads secrets.
type Reader struct {
	client *secretsmanager.Client
	prefix string
}

// New makes a Reader; it calls nothing yet.
func New(cfg aws.Config, c Config) *Reader {
	return &Reader{client: secretsmanager.NewFromConfig(cfg), prefix: c.Prefix}
}

// Secret reads one secret. Its errors name the secret and the remedy, never a value.
func (r *Reader) Secret(ctx context.Context, name string) (map[string]string, error) {
	id := r.prefix + name
	out, err := r.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
	var absent *types.ResourceNotFoundException
	if errors.As(err, &absent) {
		// One answer for both: a deployment makes its secrets without a value.
		return nil, fmt.Errorf(`secret %q has no value or does not exist in AWS Secrets Manager: write {"key": "value", ...} into secret.json, then run: aws secretsmanager put-secret-value --secret-id %s --secret-string file://secret.json; if there is no such secret: aws secretsmanager create-secret --name %s --secret-string file://secret.json`, id, id, id)
	}
	if err != nil {
		return nil, fmt.Errorf("read secret %q: %w", id, err)
	}
	var values map[string]string
	if json.Unmarshal([]byte(aws.ToString(out.SecretString)), &values) != nil || values == nil {
		// The decoder's own words may quote what it read.
		return nil, fmt.Errorf(`secret %q is not a JSON object of strings: store it as {"key": "value", ...} with: aws secretsmanager put-secret-value --secret-id %s --secret-string file://secret.json`, id, id)
	}
	return values, nil
}
