package slack

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	slackapi "github.com/slack-go/slack"
)

// Whatever is answered, it is whole or an error; what is whole the library reads,
// and it holds what was asked for.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{
		`{"ok":true,"channel":"C1","ts":"1.2"}`, `{"ok":true,"messages":[],"has_more":false}`,
		`{"ok":true,"messages":[{"ts":"1.2","metadata":{"event_type":"e","event_payload":{}}}],"has_more":true,"response_metadata":{"next_cursor":"x"}}`,
		`{"ok":true,"channels":[{"id":"C1","name":"a"}]}`, `{"ok":true,"team_id":"T1"}`, `{"ok":true,"enterprise_id":"E1"}`,
		`{"ok":false,"error":"channel_not_found","errors":[1]}`, `{"ok":false}`, `{}`, `[]`, `null`, `<html>`, ``, `{"ok":true,"channel":{"id":"C1"},"ts":"1.2"}`,
	} {
		for _, status := range []int{200, 204, 302, 401, 404, 429, 500} {
			f.Add(status, body)
		}
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		c := &client{now: func() time.Time { return time.Unix(0, 0) }}
		resp := &http.Response{StatusCode: status, Header: http.Header{}, Request: &http.Request{}}
		whole := func(method string) bool { return c.answer(method, resp, []byte(body)) == nil }
		a := account{client: c}
		for _, method := range []string{"chat.postMessage", "conversations.history", "conversations.list", "auth.test"} {
			if err := c.answer(method, resp, []byte(body)); err != nil {
				if v := a.judge(err); v.code == "" || v.message == "" {
					t.Errorf("%s: no code or message: %+v", method, v)
				}
			} else if status != 200 {
				t.Errorf("%s: status %d was taken", method, status)
			}
		}
		if whole("conversations.history") {
			var page slackapi.GetConversationHistoryResponse
			if json.Unmarshal([]byte(body), &page) == nil && page.HasMore && page.ResponseMetaData.NextCursor == "" {
				t.Error("more is promised, and no way to it")
			}
		}
	})
}
