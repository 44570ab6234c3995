package salesforce

import (
	"strings"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// The first and the last day that Salesforce takes ("SOAP API Developer Guide",
// Primitive Data Types, date).
const (
	dateMin = "1700-01-01"
	dateMax = "4000-12-31"
)

// kindName is the connection's type.
const kindName = "salesforce"

// rules states what the pipeline must know of a version. An insert is sent once,
// after a stored intent; whether it arrived can be found out where the new record
// can be matched.
func rules(d *syncdef.Definition, _ *syncdef.Connection) syncdef.Rules {
	matched := d.Strategy != syncdef.MatchNone && d.Match.Destination != ""
	r := syncdef.Rules{
		Type: kindName, LengthUnit: syncdef.LengthUTF16, DateMin: dateMin, DateMax: dateMax,
		Once: d.Operation == syncdef.Insert, Lookup: matched && !matchesID(d),
	}
	if matched {
		r.Identity = identity(d)
	}
	return r
}

// matchesID reports whether the records' own Ids are known.
func matchesID(d *syncdef.Definition) bool {
	return strings.EqualFold(d.Match.Destination, idField)
}

// identity is how Salesforce compares a strategy's field. Text is stored without the
// outer white space of ASCII, and a no-break space stays ("Apex Developer Guide",
// Primitive Data Types, sObject string values); it is compared without case, but in
// unique fields made case-sensitive ("SOQL and SOSL Reference", Comparison Operators):
// match.case says it, or the account, which apply asks (MatchField). Only a field that an
// administrator made can be such a one; of it, without either, nobody knows. = sees inner
// white space as it is; names are found by LIKE, which can leave it out. Nothing is
// documented of letters that fold to others, or of the Unicode form: the rule takes for
// one what can be asked for. Nothing is asked for before an upsert by external id: that
// goes by Salesforce's own comparison, and the rule takes for one what that certainly does.
func identity(d *syncdef.Definition) row.Identity {
	exact, caseless := steps(row.StepPlain, row.StepTrim, row.StepNFC), steps(row.StepPlain, row.StepTrim, row.StepLower, row.StepNFC)
	if writeOf(d) == byExternalID {
		exact, caseless = steps(row.StepPlain, row.StepTrim), steps(row.StepPlain, row.StepTrim, row.StepLetters)
	}
	switch {
	case matchesID(d) || d.Match.DataType == syncdef.MatchID:
		return steps(row.StepTrim, row.StepID18)
	case d.Match.DataType == syncdef.MatchNumber:
		return steps(row.StepTrim, row.StepNumber)
	case d.Strategy == syncdef.MatchEmailDomain:
		return steps(row.StepPlain, row.StepDomain)
	case d.Strategy == syncdef.MatchEmail:
		return steps(row.StepPlain, row.StepTrim, row.StepEmail, row.StepLower, row.StepNFC)
	case d.Strategy == syncdef.MatchName:
		return steps(row.StepPlain, row.StepTrim, row.StepSpace, row.StepLower, row.StepNFC)
	case d.Match.Case != nil && *d.Match.Case:
		return exact
	case d.Match.Case == nil && customField(d.Match.Destination):
		exact.CaseUnsure = true
		return exact
	}
	return caseless
}

// customField reports whether a name is a field's that an administrator made
// ("Object Reference", Custom Objects and Fields).
func customField(name string) bool {
	return len(name) > len("__c") && strings.EqualFold(name[len(name)-len("__c"):], "__c")
}

// asksAccount reports whether identity depends on the match field's metadata: the
// other strategies leave out case on any field.
func asksAccount(d *syncdef.Definition) bool {
	return !matchesID(d) && d.Match.Destination != "" && (d.Strategy == syncdef.MatchField || d.Strategy == syncdef.MatchExternalID)
}

func steps(s ...row.Step) row.Identity { return row.Identity{Steps: s} }
