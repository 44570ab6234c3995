package snowflake

import (
	"fmt"
	"net/http"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/warehouse"
)

// An answer is what of the API's answers is read. Its message may quote a row's value
// (I6) and is left out.
type answer struct {
	Handle   string `json:"statementHandle"`
	Code     string `json:"code"`
	SQLState string `json:"sqlState"`
	Meta     struct {
		Columns []struct {
			Name string `json:"name"`
		} `json:"rowType"`
	} `json:"resultSetMetaData"`
	Data [][]*string `json:"data"`
}

// started reads the answer of a statement that was handed over: 202, or 200 where it has
// ended already; 422 where it cannot be executed.
func started(status int, a answer) (run.Statement, error) {
	switch status {
	case http.StatusOK, http.StatusAccepted:
		if a.Handle == "" {
			return run.Statement{}, fmt.Errorf("Snowflake answered %d without a statement handle", status) //nolint:staticcheck,revive // a name
		}
		if status == http.StatusOK && len(a.Data) > 0 {
			return summary(a), nil
		}
		return run.Statement{Handle: a.Handle, State: run.StatementRunning}, nil
	case http.StatusUnprocessableEntity:
		return failed(a), nil
	case http.StatusUnauthorized, http.StatusForbidden:
		return run.Statement{}, warehouse.Refused("Snowflake lets the user not in (%d, code %s): compare the public key's fingerprint with DESC USER, and account and user in connections.yaml", status, warehouse.Word(a.Code))
	case http.StatusBadRequest:
		return run.Statement{}, warehouse.Refused("Snowflake takes no such statement (400, code %s): look at role, warehouse, database and schema in connections.yaml", warehouse.Word(a.Code))
	}
	return run.Statement{}, warehouse.Unanswered("Snowflake", status)
}

// looked reads the answer to a handle: 202 and 429 go on, 408 and 422 have failed.
func looked(handle string, status int, a answer) (run.Statement, error) {
	switch status {
	case http.StatusOK:
		st := summary(a)
		st.Handle = handle
		return st, nil
	case http.StatusAccepted, http.StatusTooManyRequests:
		return run.Statement{Handle: handle, State: run.StatementRunning}, nil
	case http.StatusUnprocessableEntity, http.StatusRequestTimeout:
		st := failed(a)
		st.Handle = handle
		return st, nil
	case http.StatusNotFound, http.StatusGone:
		return run.Statement{}, warehouse.Refused("Snowflake knows no statement %s any more", warehouse.Word(handle))
	}
	return run.Statement{}, fmt.Errorf("Snowflake answered %d", status) //nolint:staticcheck,revive // a name
}

func summary(a answer) run.Statement {
	st := run.Statement{State: run.StatementDone}
	if len(a.Data) > 0 {
		columns := make([]string, len(a.Meta.Columns))
		for i, c := range a.Meta.Columns {
			columns[i] = c.Name
		}
		cells := make([]string, len(a.Data[0]))
		for i, v := range a.Data[0] {
			if v != nil {
				cells[i] = *v
			}
		}
		st = warehouse.Summary(columns, cells)
	}
	st.Handle = a.Handle
	return st
}

func failed(a answer) run.Statement {
	return run.Statement{Handle: a.Handle, State: run.StatementFailed, Reason: fmt.Sprintf(
		"CALL penstock_run failed: SQLSTATE %s, code %s; the message is in the query history of the account, statement %s", warehouse.Word(a.SQLState), warehouse.Word(a.Code), warehouse.Word(a.Handle))}
}
