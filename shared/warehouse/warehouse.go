// Package warehouse is what the packages below it share: each runs penstock_run in one
// kind of warehouse, without waiting for it, for schedules. It holds what the answer of
// penstock_run looks like and how an HTTP API is called, and logs in nowhere.
package warehouse

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/penstock-data/penstock/shared/run"
)

// Skipped is the status with which penstock_run answers that it began nothing.
const skipped = "skipped"

// Summary reads the answer of penstock_run, one row: either a JSON object in its only
// column, or a column per member. Nothing that it says in words is kept but why nothing
// was begun, which is Penstock's own text: all else may quote a row (I6).
func Summary(columns, cells []string) run.Statement {
	st := run.Statement{State: run.StatementDone}
	values := map[string]string{}
	for i, name := range columns {
		if i < len(cells) {
			values[strings.ToLower(name)] = cells[i]
		}
	}
	for _, cell := range cells { // an object says more than the column's name
		var object map[string]any
		if json.Unmarshal([]byte(cell), &object) == nil && object != nil {
			for name, v := range object {
				if s, ok := v.(string); ok {
					values[strings.ToLower(name)] = s
				}
			}
		}
	}
	if run.IsName(values["run"]) {
		st.Run = values["run"]
	}
	if st.Skipped = values["status"] == skipped; st.Skipped {
		st.Reason = values["reason"]
	}
	return st
}

// Refused is run.ErrRefused with what is wrong and how to mend it.
func Refused(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{run.ErrRefused}, args...)...)
}

// Busy is run.ErrBusy with what is going on.
func Busy(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{run.ErrBusy}, args...)...)
}

// Check refuses a call whose words cannot stand in a statement: they are put between
// quotes where a warehouse takes no parameters.
func Check(c run.Call) error {
	if !run.IsName(c.Sync) || run.IsID(c.Sync) {
		return Refused("%q is no sync's name", c.Sync)
	}
	for _, r := range c.Mode {
		if (r < 'a' || r > 'z') && r != '_' {
			return Refused("the mode is not known")
		}
	}
	return nil
}

// Unanswered classes an HTTP status that no answer of a statement has: 429 and 503 took
// nothing, other 5xx leave open what they did.
func Unanswered(what string, status int) error {
	switch {
	case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
		return Busy("%s answered %d", what, status)
	case status >= 500 || status == http.StatusRequestTimeout:
		return fmt.Errorf("%s answered %d", what, status)
	}
	return Refused("%s answered %d", what, status)
}

// Word is a code or an id of a warehouse's answer as it may be shown: "?" for what has
// other characters than these have, because it may quote a row (I6).
func Word(s string) string {
	if s == "" || len(s) > 64 {
		return "?"
	}
	for _, r := range s {
		if (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' && r != '_' {
			return "?"
		}
	}
	return s
}

// maxAnswer is how much of an answer is read: penstock_run answers one row.
const maxAnswer = 1 << 20

// Send makes a call and answers its status and what it says.
func Send(client *http.Client, r *http.Request) (status int, text []byte, err error) {
	response, err := client.Do(r)
	if err != nil {
		return 0, nil, fmt.Errorf("call %s: %w", r.URL.Host, err)
	}
	defer response.Body.Close()
	if text, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer)); err != nil {
		return 0, nil, fmt.Errorf("read the answer of %s: %w", r.URL.Host, err)
	}
	return response.StatusCode, text, nil
}
