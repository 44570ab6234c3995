package awstest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"

	"github.com/penstock-data/penstock/shared/app/view"
	"github.com/penstock-data/penstock/shared/app/view/viewtest"
	"github.com/penstock-data/penstock/shared/aws"
	"github.com/penstock-data/penstock/shared/aws/errors"
	"github.com/penstock-data/penstock/shared/aws/ledger"
	"github.com/penstock-data/penstock/shared/aws/state"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
)

// A meter counts the requests to the tables, and the items that they answer.
type meter struct {
	next           sdk.HTTPClient
	mu             sync.Mutex
	queries, items int
}

func (m *meter) Do(req *http.Request) (*http.Response, error) {
	resp, err := m.next.Do(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	var answer struct {
		ScannedCount int
		Item         json.RawMessage
		Responses    map[string][]json.RawMessage
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, err
	}
	items := answer.ScannedCount
	if answer.Item != nil {
		items++
	}
	for _, table := range answer.Responses {
		items += len(table)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.queries, m.items = m.queries+1, m.items+items
	return resp, nil
}

func (m *meter) count() (queries, items int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	queries, items = m.queries, m.items
	m.queries, m.items = 0, 0
	return queries, items
}

// pageErrors is how many errors there are: PENSTOCK_PAGE_ERRORS, or what an emulator takes
// in seconds. What a page reads does not depend on it.
func pageErrors() int {
	if n, err := strconv.Atoi(os.Getenv("PENSTOCK_PAGE_ERRORS")); err == nil {
		return n
	}
	return 10_000
}

// With 50 syncs and very many errors a page asks the tables at most five times, and reads
// at most 200 items.
func TestPageBounds(t *testing.T) {
	servers(t)
	ctx := t.Context()
	cfg, err := aws.Load(ctx)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("v%d-%d-", time.Now().UnixNano(), opened.Add(1))
	remove, err := CreateTables(ctx, cfg, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = remove(context.WithoutCancel(ctx)) })
	m := &meter{next: cfg.HTTPClient}
	if m.next == nil {
		m.next = http.DefaultClient
	}
	cfg.HTTPClient = m
	s := struct {
		*stateStore
		*ledgerStore
		*errorStore
	}{
		state.New(cfg, state.Config{Table: name + State, Now: viewtest.Now}), ledger.New(cfg, ledger.Config{Table: name + Ledger}),
		errors.New(cfg, errors.Config{Table: name + Errors, Now: viewtest.Now}),
	}
	const syncs = 50
	viewtest.Fill(t, viewtest.Stores{Definitions: s, Connections: s, Runs: s, Overviews: s, Errors: s, Ledger: s}, syncs, pageErrors())
	r := view.New(view.Config{Stores: runs.Stores{Syncs: s, Runs: s, History: s, Overviews: s, Some: s, Lists: s, Places: s}, Now: viewtest.Now})
	viewtest.Bounds(t, r, syncs, pageErrors(), m.count)
}
