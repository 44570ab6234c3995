// Package secrets reads connections' secrets from AWS Secrets Manager. A secret is
// a JSON object of strings. It caches nothing and never logs.
package secrets

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"

	"github.com/penstock-data/penstock/shared/secretfile"
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

// ErrDenied says that the credentials may not read a secret. From Secret.
var ErrDenied = errors.New(denied)

// refusal is the message about a secret that the credentials may not read.
type refusal struct{ error }

// Is makes it an ErrDenied.
func (refusal) Is(target error) bool { return target == ErrDenied }

// Secret reads one secret; ErrDenied. Its errors name the secret and the remedy, never a
// value.
func (r *Reader) Secret(ctx context.Context, name string) (map[string]string, error) {
	id := r.prefix + name
	out, err := r.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
	wrong := ""
	var values map[string]string
	switch {
	case err == nil && out.SecretString == nil && len(out.SecretBinary) > 0:
		wrong = "holds bytes, not text"
	case err == nil:
		values, wrong = secretfile.Values([]byte(aws.ToString(out.SecretString)))
	default:
		if wrong = cause(err); wrong == "" {
			return nil, fmt.Errorf("read secret %q: %w", id, err)
		}
	}
	if wrong != "" {
		err := secretfile.Unusable(id, "AWS Secrets Manager", wrong, remedy(id, wrong))
		if wrong == denied {
			err = refusal{err}
		}
		return nil, err
	}
	return values, nil
}

// What is wrong with a secret that cannot even be read.
const (
	absent  = "has no value or does not exist" // AWS has one code for both: a deployment makes its secrets without a value
	deleted = "is scheduled for deletion"
	denied  = "may not be read by this function's role"
)

// cause says which of the failures that a person mends an error is, "" for others: a
// throttle, a network, a key that is disabled. The codes are those of the API
// reference, GetSecretValue.
func cause(err error) string {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return ""
	}
	switch code := api.ErrorCode(); {
	case code == "ResourceNotFoundException":
		return absent
	case code == "InvalidRequestException" && strings.Contains(strings.ToLower(api.ErrorMessage()), "delet"):
		return deleted
	case code == "AccessDeniedException":
		return denied
	}
	return ""
}

// remedy is what to do about a secret.
func remedy(id, wrong string) string {
	const deploy = "deploy the stack with this connection in the parameter TYPEConnections of its type"
	put := "write " + secretfile.Shape + " into secret.json, then run: aws secretsmanager put-secret-value --secret-id " + id + " --secret-string file://secret.json"
	switch wrong {
	case deleted:
		return "run: aws secretsmanager restore-secret --secret-id " + id
	case denied:
		return deploy
	case absent:
		return put + "; if there is no such secret, first " + deploy
	}
	return put
}
