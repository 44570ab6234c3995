package salesforce

import (
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/dest"
)

// remedies say how to mend a row, by Salesforce's code.
var remedies = map[string]string{
	"REQUIRED_FIELD_MISSING":                  "map the field, or give it a default",
	"STRING_TOO_LONG":                         "set max_length and on_too_long: truncate in field_mappings",
	"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "add the value to the picklist, or use data_type: picklist with values and default",
	"INVALID_EMAIL_ADDRESS":                   "correct the address, or use data_type: email to find it before",
	"NUMBER_OUTSIDE_VALID_RANGE":              "use min and max in field_mappings, or widen the field",
	"DUPLICATE_VALUE":                         "another record holds this value: merge the two",
	"DUPLICATE_EXTERNAL_ID":                   "more than one record has this external id: merge them, or make the field unique",
	"DUPLICATES_DETECTED":                     "a duplicate rule of the organisation refuses the record: merge it with the one that is there, or, where the rule only raises an alert, save it with salesforce: {duplicate_rule: allow}",
	"ENTITY_IS_DELETED":                       "the record, or one that the row refers to, was deleted in Salesforce: restore it from the recycle bin, or correct the row",
	"INSUFFICIENT_ACCESS_OR_READONLY":         "give the integration user access to this record",
}

// wrongForAll reports whether any record of the version would meet an error. Under
// the code of an unknown field Salesforce also says that a parent's external id
// names no record, and that a value is of another type: those are the row's.
func wrongForAll(e vendorError) bool {
	return e.code == "INVALID_TYPE" || e.code == "INVALID_FIELD" && strings.HasPrefix(e.message, "No such column")
}

// outcome turns a record's errors into its outcome.
func (d *destination) outcome(kind int, r *dest.Record, errs []vendorError) dest.Outcome {
	e := vendorError{code: "UNKNOWN", message: "Salesforce names no error"}
	if len(errs) > 0 {
		e = errs[0]
	}
	if r.Delete && gone(e) { // that is what was asked for
		return dest.Outcome{Status: dest.Delivered, ID: d.id(r)}
	}
	if kind == updateKind && gone(e) {
		return d.gone(e)
	}
	out := dest.Outcome{Status: dest.Rejected, Code: e.code, Field: e.field, Message: hidden(masked(e.message), r)}
	switch {
	case e.transient():
		out.Status = dest.Retry
	case wrongForAll(e) || unwritable(e, d.def.Object):
		out.Scope = dest.ScopeVersion
		out.Message += ": " + verdicts[e.code].remedy
	case r.Delete && e.code == "REQUIRED_FIELD_MISSING": // of clear: the field is mapped
		out.Message += ": on_delete: clear empties what is mapped, and the record needs this field: use on_delete: delete, or leave the field out of the sync"
	case e.code == "INVALID_TYPE_ON_FIELD_IN_RECORD" && slices.ContainsFunc(r.Fields, func(f dest.Field) bool {
		return strings.EqualFold(f.Name, e.field) && f.Value.Kind() == 'n'
	}):
		out.Message += ": a checkbox is never empty: write default: false or on_null: skip in field_mappings"
	default:
		if remedy := remedies[e.code]; remedy != "" {
			out.Message += ": " + remedy
		}
	}
	return out
}

// gone reports whether an error says that the record's own id names none: deleted,
// or deleted and purged. With a field it is a lookup of the row's that is wrong, which
// Salesforce may say without one too: then the record is found again.
func gone(e vendorError) bool {
	switch e.code {
	case "ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "NOT_FOUND":
		return e.field == "" || strings.EqualFold(e.field, idField)
	}
	return false
}

// gone is the outcome of a record that is not there any more: matched anew where
// its id was only remembered, missing where the row itself names it.
func (d *destination) gone(e vendorError) dest.Outcome {
	if d.write != byID {
		return dest.Outcome{Status: dest.Found, Code: e.code, Message: "the record was deleted in Salesforce; it is matched anew"}
	}
	return dest.Outcome{Status: dest.Rejected, Code: "no_match", Field: idField,
		Message: e.code + ": no " + d.def.Object + " has this Id any more, or what the row refers to is deleted: restore it in Salesforce, or correct the row"}
}

// unwritable reports whether no record's field may be written, which is how the
// vendor puts missing rights to a field. Of a person account it says the same of
// Name, which other accounts have: that is the row's.
func unwritable(e vendorError, object string) bool {
	return e.code == "INVALID_FIELD_FOR_INSERT_UPDATE" && strings.HasPrefix(e.message, "Unable to create/update fields") &&
		!(strings.EqualFold(object, "Account") && strings.EqualFold(e.field, "Name"))
}
