package intake

import (
	"fmt"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// The rules of faults that intake finds itself.
const (
	ruleDuplicate = "duplicate_key"
	ruleCase      = "case_unsure"
	ruleCancelled = "run_cancelled"
	ruleTarget    = "target_changed"
	ruleMany      = "too_many_faults"
)

func tooLarge(size int) *row.Fault {
	return &row.Fault{Rule: "row_too_large", Message: fmt.Sprintf("the row has %d KiB of JSON, at most %d KiB are taken: select fewer or shorter columns in the model", size>>10, envelope.MaxRow>>10)}
}

func blocked(r run.Run) *row.Fault {
	why := r.Reason
	if why == "" {
		why = "somebody cancelled it"
	}
	return &row.Fault{Rule: ruleCancelled, Message: fmt.Sprintf("the run was ended: %s; mend that, and push the row again in a run of its own", why)}
}

func duplicate(column string) *row.Fault {
	return &row.Fault{Field: column, Rule: ruleDuplicate, Message: fmt.Sprintf("column %s: a later row of the batch has the same value, and on_duplicate is reject: select one row per value in the model", column)}
}

func caseUnsure(column string) *row.Fault {
	return &row.Fault{Field: column, Rule: ruleCase, Message: fmt.Sprintf("column %s: another row of the batch has this value in other upper or lower case, and it is not known whether the destination tells them apart: say match.case in the definition, or select one of them", column)}
}

// many stands for the faults of a batch beyond run.MaxFaults, so that a retry is
// answered alike; each row's own is in its stored error.
func many() row.Fault {
	return row.Fault{Rule: ruleMany, Message: fmt.Sprintf("the row is refused; the batch has more than %d different reasons, and penstock_errors shows this row's", run.MaxFaults)}
}

func targetChanged() *row.Fault {
	return &row.Fault{Rule: ruleTarget, Message: "the sync has another target since (connection, account, object, match or identity): the next run selects all rows; a row that was pushed outside a run has to be pushed again"}
}

// claimedTwice is the fault of a deleting row whose record id stands for more than one
// record.
func claimedTwice(column string) *row.Fault {
	return &row.Fault{Field: column, Rule: "ambiguous_record", Message: "column " + column + ": found null in a row that is to be deleted, and more than one record was written for its record_id; allowed: the match value of the record to be deleted"}
}

// actionChanged is the fault of a replay that today's definition reads otherwise than
// the one that it failed with.
func actionChanged(deleted bool) *row.Fault {
	was, is := "written", "delete"
	if deleted {
		was, is = "deleted", "write"
	}
	return &row.Fault{Rule: "action_changed", Message: "the row's record was to be " + was + ", and the sync's definition would " + is + " it today: push the row again"}
}
