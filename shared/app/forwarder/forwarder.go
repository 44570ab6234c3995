// Package forwarder is the thin program between BigQuery and the API: BigQuery reaches
// Cloud Run only, and the API lets in a Google ID token. It takes a remote function's
// request, adds a token of the account that it runs as, and hands status and body back.
// It looks into a request no further than to find the function's name, logs no body, and
// calls nothing but the metadata server and the one API that it was told.
//
// Who may call it is Cloud Run's to say: only the service account of the BigQuery
// connection has roles/run.invoker. Whoever else had it could write any sessionUser.
package forwarder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/penstock-data/penstock/shared/app/telemetry"
	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/wire/bigquery"
	"github.com/penstock-data/penstock/shared/wire/gateway"
)

const (
	maxRequest = gateway.MaxBody                     // bytes as BigQuery sends them
	maxSent    = (gateway.MaxEvent - 64<<10) / 4 * 3 // bytes as they go on: a Lambda event has them in base64, beside headers
	maxAnswer  = gateway.MaxEvent
	zipFrom    = 16 << 10 // bytes from which a request is compressed
)

// Handler forwards. It serves concurrent requests.
type Handler struct {
	API    string // https://a1b2c3.execute-api.eu-west-1.amazonaws.com/v1
	Tokens *Tokens
	Client *http.Client // for the API; ends a call after its gateway's 29 s
	Log    *slog.Logger
	Now    func() time.Time

	warm atomic.Bool
}

// ServeHTTP answers one request of BigQuery.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, line := telemetry.Source{Log: h.Log, What: "forwarder", Now: h.Now, Warm: &h.warm}.Begin(r.Context(), "forward")
	name, status, body, err := h.forward(ctx, w, r)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // whoever has gone asks again
	line.Add(slog.String("function", name), slog.Int("status", status), slog.Int("bytes", len(body)))
	line.End(ctx, telemetry.Status(status), err)
}

// forward is the function's name, and status and body of the answer. The error is for
// the log; the answer is good either way.
func (h *Handler) forward(ctx context.Context, w http.ResponseWriter, r *http.Request) (name string, status int, body []byte, err error) {
	if r.Method != http.MethodPost {
		return "", http.StatusMethodNotAllowed, bigquery.Failure("BigQuery's remote functions come by POST"), nil
	}
	sent, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		return "", http.StatusRequestEntityTooLarge, tooLarge(), fmt.Errorf("read the request: %w", err)
	}
	if err != nil { // it broke off, or came too slowly: BigQuery sends it again
		return "", http.StatusServiceUnavailable, bigquery.Failure("the request did not arrive whole"), fmt.Errorf("read the request: %w", err)
	}
	if name = function(r.URL.Path, sent); name == "" {
		return "", http.StatusBadRequest, bigquery.Failure("the request names no function: create the remote function by the statements of penstock sql-setup bigquery"), nil
	}
	encoding := ""
	if len(sent) >= zipFrom {
		sent, encoding = zipped(sent), "gzip"
	}
	if len(sent) > maxSent {
		return name, http.StatusRequestEntityTooLarge, tooLarge(), nil
	}
	status, body, err = h.call(ctx, name, encoding, sent)
	if err != nil { // it may have arrived: BigQuery sends it again, and it counts once
		return name, http.StatusServiceUnavailable, bigquery.Failure("Penstock's API cannot be reached; see the log of the forwarder"), err
	}
	status, body = answer(status, body)
	return name, status, body, nil
}

// call sends a request on to the API.
func (h *Handler) call(ctx context.Context, name, encoding string, body []byte) (status int, answer []byte, err error) {
	token, err := h.Tokens.Token(ctx)
	if err != nil {
		return 0, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.API+bigquery.PathPrefix+name, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	resp, err := h.Client.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("call the API: %w", err)
	}
	defer resp.Body.Close()
	if answer, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1)); err == nil && len(answer) > maxAnswer {
		err = fmt.Errorf("the answer is too large")
	}
	return resp.StatusCode, answer, err
}

// answer is what BigQuery gets: the API's own words where its function spoke, and words
// for it where the gateway did. Of a gateway's failures BigQuery repeats 500, 503 and
// 504, but not 502.
func answer(status int, body []byte) (int, []byte) {
	if status == http.StatusOK || bigquery.Message(body) != "" && len(body) <= bigquery.MaxMessage {
		return status, body
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return status, bigquery.Failure("Penstock's API refuses the forwarder's token: is its service account among the stack's TokenEmails, and its audience TokenAudience? The authorizer's log says why")
	case http.StatusRequestEntityTooLarge:
		return status, tooLarge()
	case http.StatusBadGateway:
		status = http.StatusServiceUnavailable
	}
	return status, bigquery.Failure(fmt.Sprintf("Penstock's API answered with status %d", status))
}

func tooLarge() []byte {
	return bigquery.Failure("the request is too large: set a lower max_batching_rows on the remote function, or push fewer columns")
}

// named is what a function's part of an address may be.
var named = regexp.MustCompile(`^[a-z]{1,32}$`)

// function is the function's name without its prefix, by address or context; "" for none.
func function(address string, body []byte) string {
	name := path.Base(address)
	if !named.MatchString(name) {
		context := rawjson.Get(body, "userDefinedContext")
		name = strings.TrimPrefix(rawjson.Scalar(rawjson.Get(context, bigquery.ContextFunction)), "penstock_")
	}
	if !named.MatchString(name) {
		return ""
	}
	return name
}

func zipped(body []byte) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed) // a known level
	_, _ = z.Write(body)                            // memory takes everything
	_ = z.Close()
	return b.Bytes()
}
