// Package authorizer is the API's Lambda authorizer for the addresses /token/...: it
// verifies the Google ID token that a request carries and answers a policy for API
// Gateway. It knows no sync: what a caller may do there is allow's, by the email that
// goes on to the function.
//
// The API's resource policy lets everybody reach these addresses, because who comes with
// a token has no AWS identity. By AWS's documentation ("How API Gateway resource
// policies affect authorization workflow", table A) an allow of either policy is enough
// where the other is silent. So a refusal here is an explicit Deny, which outweighs
// everything, and never an empty policy.
package authorizer

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/penstock-data/penstock/shared/app/telemetry"
	"github.com/penstock-data/penstock/shared/app/telemetry/lambdaid"
	"github.com/penstock-data/penstock/shared/idtoken"
)

// The names under which the function finds what was verified (package bigquery reads
// them).
const (
	Email   = "email"
	Forward = "forward"
)

// Skew is how far Google's clock and ours may be apart.
const Skew = 10 * time.Second

// Handler is the authorizer function. It serves concurrent invocations.
type Handler struct {
	Policy     idtoken.Policy
	Forwarders []string // the emails among the policy's whose word about their users counts
	Keys       *KeySet
	Now        func() time.Time
	Log        *slog.Logger
	// Function is the name that lines go under, as Lambda knows it; "" is authorizer.
	Function string

	warm atomic.Bool
}

// An event is what API Gateway asks (AWS documentation, "Input to an API Gateway Lambda
// authorizer", TOKEN).
type event struct {
	Token  string `json:"authorizationToken"`
	Method string `json:"methodArn"`
}

// Invoke answers one request for authorisation. An error, which the gateway answers with
// status 500 and BigQuery tries again, says that it is not known who calls.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	ctx, line := telemetry.Source{Log: h.Log, What: "authorizer", Function: h.Function, Now: h.Now, Warm: &h.warm, Request: lambdaid.Of}.Begin(ctx, "authorizer")
	var e event
	if err := json.Unmarshal(payload, &e); err != nil {
		err = errors.New("read the authorizer's event: it is not JSON of the documented shape") // which may quote a token (I6)
		line.End(ctx, telemetry.Failed, err)
		return nil, err
	}
	claims, err := h.verify(ctx, strings.TrimPrefix(e.Token, "Bearer "))
	switch unsure, ours := errors.AsType[*unsureError](err); {
	case ours:
		line.End(ctx, telemetry.Failed, unsure)
		return nil, unsure
	case err != nil:
		line.Add(slog.Bool("allowed", false), slog.String("reason", err.Error()))
		line.End(ctx, telemetry.Refused, nil)
		return json.Marshal(deny(e.Method))
	}
	line.Add(slog.Bool("allowed", true), slog.String("email", claims.Email))
	line.End(ctx, telemetry.OK, nil)
	return json.Marshal(allow(e.Method, claims, slices.Contains(h.Forwarders, claims.Email)))
}

// unsureError is a failure of ours: the token may be good.
type unsureError struct{ err error }

func (e *unsureError) Error() string { return e.err.Error() }
func (e *unsureError) Unwrap() error { return e.err }

// verify checks a token against the keys in hand, and once more against keys read anew
// where its key is not among them.
func (h *Handler) verify(ctx context.Context, token string) (idtoken.Claims, error) {
	if h.Policy.Audience == "" || len(token) > idtoken.MaxToken {
		return h.Policy.Verify(token, nil, h.Now())
	}
	keys, err := h.Keys.Keys(ctx, keyID(token))
	if err != nil {
		return idtoken.Claims{}, &unsureError{err}
	}
	return h.Policy.Verify(token, keys, h.Now())
}

// keyID is the key that a token names, unverified; "" where there is none.
func keyID(token string) string {
	t, _, err := jwt.NewParser().ParseUnverified(token, jwt.MapClaims{})
	if err != nil {
		return ""
	}
	id, _ := t.Header["kid"].(string)
	return id
}

// A policy is the answer (AWS documentation, "Output from an API Gateway Lambda
// authorizer").
type policy struct {
	Principal string            `json:"principalId"`
	Document  document          `json:"policyDocument"`
	Context   map[string]string `json:"context,omitempty"`
}

type document struct {
	Version   string      `json:"Version"`
	Statement []statement `json:"Statement"`
}

type statement struct {
	Action   string `json:"Action"`
	Effect   string `json:"Effect"`
	Resource string `json:"Resource"`
}

// allow lets a token into all functions at once: the gateway keeps the answer for as
// long as the authorizer's TTL and gives it to every address.
func allow(method string, c idtoken.Claims, forwards bool) policy {
	api := apiOf(method)
	if api == "" {
		return deny(method)
	}
	p := decided("Allow", api+"/POST/token/*")
	p.Principal, p.Context = c.Subject, map[string]string{Email: c.Email, Forward: strconv.FormatBool(forwards)}
	return p
}

func deny(method string) policy {
	if api := apiOf(method); api != "" {
		return decided("Deny", api+"/*")
	}
	return decided("Deny", "*")
}

func decided(effect, resource string) policy {
	return policy{Principal: "nobody", Document: document{
		Version: "2012-10-17", Statement: []statement{{Action: "execute-api:Invoke", Effect: effect, Resource: resource}},
	}}
}

// stageOf is an API's ARN with its stage, before method and path.
var stageOf = regexp.MustCompile(`^(arn:aws[a-z-]*:execute-api:[a-z0-9-]+:[0-9]{12}:[a-z0-9]+/[A-Za-z0-9_-]+)/[A-Z]+/token/`)

// apiOf is the API and stage of a method's ARN below /token/, "" of any other text.
func apiOf(method string) string {
	if m := stageOf.FindStringSubmatch(method); m != nil {
		return m[1]
	}
	return ""
}
