package sample

// The syncs of the sample.
const (
	CustomerHealth = "salesforce_customer_health"
	AccountHealth  = "sf_health"
	Alerts         = "slack_alerts"
	ContactHealth  = "intercom_health"
	ContactWorth   = "hubspot_health"
	ProductUsage   = "amplitude_health"
)

// CRM is the destination type whose simulator is seeded with the sample's accounts,
// and CRMObject what they are there; the other types start without records.
const (
	CRM       = "salesforce"
	CRMObject = "Account"
	Chat      = "slack"
	Support   = "intercom"
	Marketing = "hubspot"
	Product   = "amplitude"
)

// An Expect is what must become of a sync's rows in the last pass. Every pushed
// row is delivered, unchanged, or in Errors once.
type Expect struct {
	Rows      int // in the table that the view reads
	Filtered  int // left out by the view; no errors
	Pushed    int
	Delivered int
	Unchanged int
	Rejected  int // at intake
	Failed    int // by a worker
	Errors    []Report
}

// A Report is where and how rows with one fault must be reported.
type Report struct {
	Fault Fault
	Rows  int
	Stage string // intake or match, as in run.RowError.Stage
	Type  string // run.RowError.Type: the mapping's rule, or the destination's code
	Field string // the column at fault, or the destination's field
}

// healthReports are the reports of sf_health; the match is by email domain.
var healthReports = []Report{
	{Fault: MissingEmail, Stage: "intake", Type: "missing_match_value", Field: "email"},
	{Fault: MalformedEmail, Stage: "intake", Type: "not_an_email", Field: "email"},
	{Fault: ScoreOutOfRange, Stage: "intake", Type: "above_max", Field: "health_score_percentage"},
	{Fault: UnknownRisk, Stage: "intake", Type: "not_in_picklist", Field: "health_status_description"},
	{Fault: NameTooLong, Stage: "intake", Type: "too_long", Field: "company_name"},
	{Fault: MissingAccount, Stage: "match", Type: "no_match", Field: "Website"},
	{Fault: AmbiguousAccount, Stage: "match", Type: "ambiguous_match", Field: "Website"},
}

// scoreReports are the reports of salesforce_customer_health, whose mapping checks
// less and whose view leaves out rows without an email.
var scoreReports = []Report{
	{Fault: MalformedEmail, Stage: "intake", Type: "not_an_email", Field: "email"},
	{Fault: MissingAccount, Stage: "match", Type: "no_match", Field: "Website"},
	{Fault: AmbiguousAccount, Stage: "match", Type: "ambiguous_match", Field: "Website"},
}

// supportReports are the reports of intercom_health, whose view leaves out rows without
// an email and knows no company.
var supportReports = []Report{
	{Fault: MalformedEmail, Stage: "intake", Type: "not_an_email", Field: "user_email"},
	{Fault: ScoreOutOfRange, Stage: "intake", Type: "above_max", Field: "health_score_decimal"},
	{Fault: UnknownRisk, Stage: "intake", Type: "not_in_picklist", Field: "risk_category"},
}

// worthReports are the reports of hubspot_health, which looks at the address and at
// nothing that is wrong otherwise.
var worthReports = []Report{
	{Fault: MissingEmail, Stage: "intake", Type: "missing_match_value", Field: "email"},
	{Fault: MalformedEmail, Stage: "intake", Type: "not_an_email", Field: "email"},
}

// reports are those of a sync.
func reports(sync string) []Report {
	switch sync {
	case AccountHealth:
		return healthReports
	case CustomerHealth:
		return scoreReports
	case ContactHealth:
		return supportReports
	case ContactWorth:
		return worthReports
	}
	return nil
}

// Expect says what must become of a sync's rows in the last pass, when every pass
// pushed the whole model.
func (p Plan) Expect(sync string) Expect {
	switch sync {
	case AccountHealth:
		return p.expect(sync, LowConfidence, NullScore)
	case CustomerHealth:
		return p.expect(sync, MissingEmail, NullScore)
	case ContactHealth:
		return p.expect(sync, MissingEmail)
	case ContactWorth, ProductUsage:
		return p.expect(sync)
	case Alerts:
		return p.expectAlerts()
	}
	return Expect{}
}

func (p Plan) expect(sync string, filtered ...Fault) Expect {
	e := Expect{Rows: p.Rows, Pushed: p.Rows}
	for _, f := range filtered {
		e.Filtered += p.Faults[f]
		e.Pushed -= p.Faults[f]
	}
	good := e.Pushed
	for _, r := range reports(sync) {
		if r.Rows = p.Faults[r.Fault]; r.Rows == 0 {
			continue
		}
		e.Errors = append(e.Errors, r)
		good -= r.Rows
		if r.Stage == "intake" {
			e.Rejected += r.Rows
		} else {
			e.Failed += r.Rows
		}
	}
	e.Delivered = good
	if last := p.last(); last.Number > 1 {
		e.Delivered = last.Rescored + last.Added + last.Gone
		e.Unchanged = good - e.Delivered
	}
	return e
}

// expectAlerts: earlier alerts are in the view for an hour; their record ids were
// delivered, so they are unchanged.
func (p Plan) expectAlerts() Expect {
	last := p.last()
	e := Expect{Delivered: last.Alerts(), Rows: p.Rows}
	for _, pass := range p.Passes {
		e.Pushed += pass.Alerts()
	}
	e.Unchanged = e.Pushed - e.Delivered
	return e
}

func (p Plan) last() Pass {
	if len(p.Passes) == 0 {
		return Pass{}
	}
	return p.Passes[len(p.Passes)-1]
}
