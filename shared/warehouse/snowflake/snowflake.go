// Package snowflake runs CALL penstock_run over Snowflake's SQL API (its documentation,
// "Snowflake SQL API": Submitting requests, Handling responses, Authenticating with key
// pair). It hands a statement over, asynchronously, and asks later what became of it.
//
// A statement has a request id. With retry=true Snowflake does not execute one again
// that has succeeded under that id; of one that failed or goes on nothing is promised,
// and there penstock_begin refuses a second run.
//
// Files: snowflake.go the calls, token.go the key and the token, status.go what the
// statuses mean.
package snowflake

import (
	"bytes"
	"context"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/warehouse"
)

// Config says where and as whom statements run. Names are written as in SQL: analyst is
// ANALYST, "Analyst" in quotes is Analyst; the SQL API itself folds nothing.
type Config struct {
	Account   string // its identifier: myorg-myaccount, or a locator with its region: xy12345.eu-central-1
	User      string
	Role      string
	Warehouse string
	Database  string // where penstock_run is
	Schema    string
	Key       *rsa.PrivateKey // of the user, ParseKey reads it
	URL       string          // "" is https://ACCOUNT.snowflakecomputing.com
	HTTP      *http.Client
	Now       func() time.Time
}

// A Client runs statements.
type Client struct{ cfg Config }

// New makes a Client; it calls nothing yet.
func New(cfg Config) *Client {
	if cfg.URL == "" {
		cfg.URL = "https://" + strings.ToLower(cfg.Account) + ".snowflakecomputing.com"
	}
	return &Client{cfg}
}

// limit is how long the statement may run: as long as the set-up's tasks may.
const limit = 3 * time.Hour

// binding is a bound value.
type binding struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// Start hands the statement over.
func (c *Client) Start(ctx context.Context, call run.Call) (run.Statement, error) {
	if err := warehouse.Check(call); err != nil {
		return run.Statement{}, err
	}
	body, err := json.Marshal(map[string]any{
		"statement": "CALL penstock_run(?, ?)", "timeout": int(limit.Seconds()),
		"database": fold(c.cfg.Database), "schema": fold(c.cfg.Schema), "warehouse": fold(c.cfg.Warehouse), "role": fold(c.cfg.Role),
		"bindings":   map[string]binding{"1": {"TEXT", call.Sync}, "2": {"TEXT", string(call.Mode)}},
		"parameters": map[string]string{"query_tag": "penstock schedule"},
	})
	if err != nil {
		return run.Statement{}, fmt.Errorf("encode the statement: %w", err)
	}
	query := url.Values{"requestId": {call.Request}, "async": {"true"}}
	if call.Again {
		query.Set("retry", "true")
	}
	status, answer, err := c.do(ctx, http.MethodPost, "/api/v2/statements?"+query.Encode(), body)
	if err != nil {
		return run.Statement{}, err
	}
	return started(status, answer)
}

// Look asks what became of a statement.
func (c *Client) Look(ctx context.Context, handle string) (run.Statement, error) {
	status, answer, err := c.do(ctx, http.MethodGet, "/api/v2/statements/"+url.PathEscape(handle), nil)
	if err != nil {
		return run.Statement{}, err
	}
	return looked(handle, status, answer)
}

// patience is how long an answer may take: both calls are answered at once.
const patience = 20 * time.Second

func (c *Client) do(ctx context.Context, method, path string, body []byte) (int, answer, error) {
	token, err := c.token()
	if err != nil {
		return 0, answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, c.cfg.URL+path, bytes.NewReader(body))
	if err != nil {
		return 0, answer{}, warehouse.Refused("%q can be no account", c.cfg.Account)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("X-Snowflake-Authorization-Token-Type", "KEYPAIR_JWT")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "penstock/1.0")
	status, text, err := warehouse.Send(c.cfg.HTTP, r)
	if err != nil {
		return 0, answer{}, err
	}
	var a answer
	_ = json.Unmarshal(text, &a) // a proxy's page has no members: the status says enough
	return status, a, nil
}

// fold writes a name as the SQL API takes it.
func fold(name string) string {
	if len(name) > 1 && name[0] == '"' && name[len(name)-1] == '"' {
		return strings.ReplaceAll(name[1:len(name)-1], `""`, `"`)
	}
	return strings.ToUpper(name)
}
