package bigquery

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/warehouse"
)

// A problem is an error of the API by its reason; its message may quote a row (I6) and
// is not read.
type problem struct {
	Reason string `json:"reason"`
}

// stateOf reads a job's state.
func stateOf(handle string, text []byte) (run.Statement, error) {
	var job struct {
		Status struct {
			State string   `json:"state"` // PENDING, RUNNING, DONE
			Error *problem `json:"errorResult"`
		} `json:"status"`
	}
	if err := json.Unmarshal(text, &job); err != nil || job.Status.State == "" {
		return run.Statement{}, errors.New("BigQuery's answer about the job cannot be read") //nolint:staticcheck,revive // a name
	}
	st := run.Statement{Handle: handle, State: run.StatementRunning}
	switch {
	case job.Status.State != "DONE":
	case job.Status.Error != nil:
		st.State = run.StatementFailed
		st.Reason = fmt.Sprintf("CALL penstock_run failed: %s; the message is in the job history of the project, job %s", warehouse.Word(job.Status.Error.Reason), handle)
	default:
		st.State = run.StatementDone
	}
	return st, nil
}

// summary reads the row that penstock_run answered with.
func summary(handle string, text []byte) run.Statement {
	var answer struct {
		Schema struct {
			Fields []struct {
				Name string `json:"name"`
			} `json:"fields"`
		} `json:"schema"`
		Rows []struct {
			F []struct {
				V any `json:"v"`
			} `json:"f"`
		} `json:"rows"`
	}
	st := run.Statement{State: run.StatementDone}
	if json.Unmarshal(text, &answer) == nil && len(answer.Rows) > 0 {
		var columns, cells []string
		for _, f := range answer.Schema.Fields {
			columns = append(columns, f.Name)
		}
		for _, v := range answer.Rows[0].F {
			s, _ := v.V.(string) // every scalar comes as text; null does not
			cells = append(cells, s)
		}
		st = warehouse.Summary(columns, cells)
	}
	st.Handle = handle
	return st
}

// refused classes what inserting a job was answered.
func refused(status int, text []byte) error {
	var a struct {
		Error struct {
			Errors []problem `json:"errors"`
		} `json:"error"`
	}
	reason := "?"
	if json.Unmarshal(text, &a) == nil && len(a.Error.Errors) > 0 {
		reason = warehouse.Word(a.Error.Errors[0].Reason)
	}
	switch {
	case reason == "rateLimitExceeded" || reason == "quotaExceeded" || reason == "jobRateLimitExceeded":
		return warehouse.Busy("BigQuery answered %s", reason)
	case status == http.StatusUnauthorized: // the token was dropped: the next try has a new one
		return fmt.Errorf("BigQuery answered %d", status) //nolint:staticcheck,revive // a name
	case status >= 400 && status < 500 && status != http.StatusTooManyRequests && status != http.StatusRequestTimeout:
		return warehouse.Refused("BigQuery answered %d (%s): look at project, dataset and location in connections.yaml; the service account needs the roles BigQuery Job User and, on the dataset, BigQuery Data Editor", status, reason)
	}
	return warehouse.Unanswered("BigQuery", status)
}
