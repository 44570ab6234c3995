package row

import "testing"

func TestAnswersAreLocked(t *testing.T) {
	fault := &Fault{Field: "em\"ail", Rule: "not_an_email", Message: "broken \xff\nbytes"}
	for _, c := range []struct {
		answer      Answer
		full, short string
	}{
		{Answer{Status: Queued, Run: "s.r1", RecordID: "cust_1"}, `{"status":"queued","run":"s.r1","record_id":"cust_1"}`, `{"status":"queued"}`},
		{Answer{Status: Superseded, RecordID: "é\xff"}, `{"status":"superseded","record_id":"é` + "\uFFFD" + `"}`, `{"status":"superseded"}`},
		{Answer{Status: Rejected, Run: "s.r1", Fault: fault},
			`{"status":"rejected","run":"s.r1","field":"em\"ail","error_type":"not_an_email","error_message":"broken ` + "\uFFFD" + `\nbytes"}`,
			`{"status":"rejected","field":"em\"ail","error_type":"not_an_email"}`},
		{Answer{Status: Blocked, Fault: &Fault{Rule: "run_cancelled"}}, `{"status":"blocked","error_type":"run_cancelled"}`, `{"status":"blocked","error_type":"run_cancelled"}`},
	} {
		if got := string(c.answer.AppendJSON([]byte("x"))); got != "x"+c.full {
			t.Errorf("%s, want %s", got, c.full)
		}
		if got := string(c.answer.AppendShort(nil)); got != c.short {
			t.Errorf("short: %s, want %s", got, c.short)
		}
	}
	if fault.Message == "" {
		t.Error("the short answer changed the fault")
	}
}
