// Package bigquery runs CALL penstock_run as a BigQuery job (Google Cloud documentation,
// REST reference of BigQuery v2: jobs.insert, jobs.get, jobs.getQueryResults). A job has
// an id of ours: inserted again it is refused with 409 Already Exists, and the job that
// is there is the answer. One that failed keeps its id, so that a further attempt has
// another one.
//
// It is authorised by a service account's key, the JSON file that Google makes, as the
// secret: the simplest way in from AWS that needs nothing set up at Google but the
// account. (Workload identity federation would need no key, and a pool, a provider and
// a binding at Google for each stack.)
//
// Files: bigquery.go the calls, token.go the key and the token, job.go what a job says.
package bigquery

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/warehouse"
)

// Config says where and as whom jobs run.
type Config struct {
	Project  string
	Dataset  string // of penstock_run
	Location string // of the dataset: EU, US, europe-west3
	Key      Key
	URL      string // "" is https://bigquery.googleapis.com
	HTTP     *http.Client
	Now      func() time.Time
}

// A Client runs jobs. It is safe for concurrent use.
type Client struct {
	cfg Config

	mu      sync.Mutex // guards what follows
	token   string
	expires time.Time
}

// New makes a Client; it calls nothing yet.
func New(cfg Config) *Client {
	if cfg.URL == "" {
		cfg.URL = "https://bigquery.googleapis.com"
	}
	return &Client{cfg: cfg}
}

// limit is how long the job may run: as long as the other warehouses' statements may.
const limit = 3 * time.Hour

// Start inserts the job, or finds it.
func (c *Client) Start(ctx context.Context, call run.Call) (run.Statement, error) {
	if err := warehouse.Check(call); err != nil {
		return run.Statement{}, err
	}
	id := "penstock_" + call.Request
	body, err := json.Marshal(map[string]any{
		"jobReference": map[string]string{"projectId": c.cfg.Project, "jobId": id, "location": c.cfg.Location},
		"configuration": map[string]any{
			"query": map[string]any{
				"query":        fmt.Sprintf("CALL `%s.%s.penstock_run`(@sync, @mode)", c.cfg.Project, c.cfg.Dataset),
				"useLegacySql": false, "parameterMode": "NAMED",
				"queryParameters": []any{parameter("sync", call.Sync), parameter("mode", string(call.Mode))},
			},
			"jobTimeoutMs": fmt.Sprint(limit.Milliseconds()),
			"labels":       map[string]string{"penstock": "schedule"},
		},
	})
	if err != nil {
		return run.Statement{}, fmt.Errorf("encode the job: %w", err)
	}
	status, text, err := c.do(ctx, http.MethodPost, "/jobs", nil, body)
	switch {
	case err != nil:
		return run.Statement{}, err
	case status == http.StatusConflict:
		return c.Look(ctx, id)
	case status != http.StatusOK:
		return run.Statement{}, refused(status, text)
	}
	return run.Statement{Handle: id, State: run.StatementRunning}, nil
}

func parameter(name, value string) map[string]any {
	return map[string]any{"name": name, "parameterType": map[string]string{"type": "STRING"}, "parameterValue": map[string]string{"value": value}}
}

// Look asks what became of a job.
func (c *Client) Look(ctx context.Context, handle string) (run.Statement, error) {
	at := url.Values{"location": {c.cfg.Location}}
	status, text, err := c.do(ctx, http.MethodGet, "/jobs/"+url.PathEscape(handle), at, nil)
	switch {
	case err != nil:
		return run.Statement{}, err
	case status == http.StatusNotFound:
		return run.Statement{}, warehouse.Refused("BigQuery knows no job %s any more", handle)
	case status != http.StatusOK:
		return run.Statement{}, fmt.Errorf("BigQuery answered %d", status) //nolint:staticcheck,revive // a name
	}
	st, err := stateOf(handle, text)
	if err != nil || st.State != run.StatementDone {
		return st, err
	}
	at.Set("maxResults", "1")
	at.Set("timeoutMs", "0")
	status, text, err = c.do(ctx, http.MethodGet, "/queries/"+url.PathEscape(handle), at, nil)
	switch {
	case err != nil:
		return run.Statement{}, err
	case status != http.StatusOK: // the job is done; what it answered has gone
		return st, nil
	}
	return summary(handle, text), nil
}

// patience is how long an answer may take.
const patience = 20 * time.Second

func (c *Client) do(ctx context.Context, method, path string, query url.Values, body []byte) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	token, err := c.bearer(ctx)
	if err != nil {
		return 0, nil, err
	}
	address := c.cfg.URL + "/bigquery/v2/projects/" + url.PathEscape(c.cfg.Project) + path
	if query != nil {
		address += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return 0, nil, warehouse.Refused("%q can be no project", c.cfg.Project)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	status, text, err := warehouse.Send(c.cfg.HTTP, r)
	if status == http.StatusUnauthorized {
		c.forget(token)
	}
	return status, text, err
}
