package local

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/wire"
	"github.com/penstock-data/penstock/shared/wire/gateway"
	"github.com/penstock-data/penstock/shared/wire/snowflake"
)

// invoke makes a function of a Go function.
type invoke func(ctx context.Context, payload []byte) ([]byte, error)

func (f invoke) Invoke(ctx context.Context, payload []byte) ([]byte, error) { return f(ctx, payload) }

func TestGatewayHandsOverTheRequest(t *testing.T) {
	var got gateway.Request
	var event struct {
		HTTPMethod string            `json:"httpMethod"`
		Query      map[string]string `json:"queryStringParameters"`
	}
	f := invoke(func(_ context.Context, payload []byte) ([]byte, error) {
		if err := json.Unmarshal(payload, &event); err != nil {
			return nil, err
		}
		request, err := gateway.Decode(payload)
		got = request
		got.Body = append([]byte(nil), request.Body...)
		return gateway.Encode(wire.Response{Status: 413, Headers: map[string]string{"X-Answer": "yes"}, Body: []byte("too large")}), err
	})
	server := httptest.NewServer(Gateway(map[string]Invoker{"/push": f}))
	defer server.Close()
	body := "\x00 not text \xff" // goes as base64, comes out as it went in
	req, err := http.NewRequestWithContext(t.Context(), "POST", server.URL+"/push?n=1", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Sf-External-Function-Query-Batch-Id", "q:1")
	resp, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 413 || resp.Header.Get("X-Answer") != "yes" || string(answer) != "too large" {
		t.Errorf("%d %q, %v", resp.StatusCode, answer, err)
	}
	if string(got.Body) != body || got.Path != "/push" || got.Header("sf-external-function-query-batch-id") != "q:1" {
		t.Errorf("the function got %s %q", got.Path, got.Body)
	}
	if event.HTTPMethod != "POST" || !cmp.Equal(event.Query, map[string]string{"n": "1"}) {
		t.Errorf("the event is of %s %v", event.HTTPMethod, event.Query)
	}
}

func TestGatewayAnswersForTheFunction(t *testing.T) {
	called := false
	answers := func(raw string, err error) Invoker {
		return invoke(func(context.Context, []byte) ([]byte, error) { called = true; return []byte(raw), err })
	}
	handler := Gateway(map[string]Invoker{
		"/fails": answers("", errors.New("boom")), "/garbage": answers("<html>", nil), "/ok": answers(`{"statusCode":200,"body":"{}"}`, nil),
		"/long": answers(`{"statusCode":200,"body":"`+strings.Repeat("x", 6<<20)+`"}`, nil),
	})
	for _, c := range []struct {
		method, path, body string
		status             int
		says               string
		calls              bool
	}{
		{"POST", "/fails", "", 502, "Internal server error", true},
		{"POST", "/garbage", "", 502, "Internal server error", true},
		{"GET", "/ok", "", 200, "{}", true},
		{"POST", "/ok", strings.Repeat("x", 10<<20), 413, "MAX_BATCH_ROWS", false},
		{"POST", "/ok", strings.Repeat("x", 10<<20+1), 413, "Request Too Long", false},
		// Text too: the body goes in base64, of which 6 MB are 4.5 MB.
		{"POST", "/ok", strings.Repeat("x", snowflake.BatchBytes), 200, "{}", true},
		{"POST", "/ok", strings.Repeat("x", 6<<20/4*3), 413, "a Lambda function takes 6291456", false},
		{"POST", "/long", "", 502, "Internal server error", true},
		{"DELETE", "/ok", "", 403, "Missing Authentication Token", false},
		{"POST", "/absent", "", 404, "", false},
	} {
		called = false
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), c.method, c.path, strings.NewReader(c.body)))
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) || called != c.calls {
			t.Errorf("%s %s: %d %s, called %v", c.method, c.path, w.Code, w.Body, called)
		}
	}
}

// API Gateway gives a function 29 seconds; the clock is synctest's.
func TestGatewayTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var left time.Duration
		handler := Gateway(map[string]Invoker{"/slow": invoke(func(ctx context.Context, _ []byte) ([]byte, error) {
			end, _ := ctx.Deadline()
			left = time.Until(end)
			<-ctx.Done()
			return nil, ctx.Err()
		})})
		w := httptest.NewRecorder()
		begun := time.Now()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "POST", "/slow", nil))
		if w.Code != http.StatusGatewayTimeout || !strings.Contains(w.Body.String(), "timed out") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if took := time.Since(begun); took != 29*time.Second || left != took {
			t.Errorf("after %v, with a deadline of %v", took, left)
		}
	})
}
