package awstest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
)

// throttle refuses every other request to the tables as an exhausted table does, and
// leaves the second half of some pages of keys unprocessed.
func throttle(next sdk.HTTPClient) sdk.HTTPClient { return &throttled{next: next} }

type throttled struct {
	next sdk.HTTPClient
	n    atomic.Int64
}

func (c *throttled) Do(req *http.Request) (*http.Response, error) {
	_, operation, table := strings.Cut(req.Header.Get("X-Amz-Target"), "DynamoDB_20120810.")
	if !table {
		return c.next.Do(req)
	}
	n := c.n.Add(1)
	if n%2 != 0 {
		if req.Body != nil {
			_, _ = io.Copy(io.Discard, req.Body)
		}
		return answer(req, 400, map[string]any{
			"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", "message": "try again",
		})
	}
	if operation == "BatchGetItem" && n%6 == 0 {
		return c.half(req)
	}
	return c.next.Do(req)
}

// half asks for the first half of the keys and calls the others unprocessed.
func (c *throttled) half(req *http.Request) (*http.Response, error) {
	type keys struct {
		Keys           []json.RawMessage
		ConsistentRead bool
	}
	var ask struct{ RequestItems map[string]keys }
	if err := json.NewDecoder(req.Body).Decode(&ask); err != nil {
		return nil, err
	}
	left := map[string]keys{}
	for table, k := range ask.RequestItems {
		at := (len(k.Keys) + 1) / 2
		if at < len(k.Keys) {
			left[table] = keys{k.Keys[at:], k.ConsistentRead}
		}
		ask.RequestItems[table] = keys{k.Keys[:at], k.ConsistentRead}
	}
	body, err := json.Marshal(ask)
	if err != nil {
		return nil, err
	}
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	res, err := c.next.Do(req)
	if err != nil || len(left) == 0 || res.StatusCode != 200 {
		return res, err
	}
	defer res.Body.Close()
	var got map[string]any
	d := json.NewDecoder(res.Body)
	d.UseNumber()
	if err := d.Decode(&got); err != nil {
		return nil, err
	}
	if more, _ := got["UnprocessedKeys"].(map[string]any); len(more) == 0 { // else the answer was full
		got["UnprocessedKeys"] = left
		return answer(req, 200, got)
	}
	return answer(req, 500, map[string]any{"__type": "InternalServerError", "message": "try again"})
}

func answer(req *http.Request, status int, v any) (*http.Response, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(bytes.NewReader(b)), ContentLength: int64(len(b)), Request: req,
	}, nil
}
