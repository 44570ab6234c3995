package salesforce

import (
	"context"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// matchTypes are the types of describe ("SOAP API Developer Guide",
// DescribeSObjectResult, Field, type) by how SOQL compares their values. Others,
// such as dates, are compared in ways that no rule of identity knows.
var matchTypes = map[string]syncdef.MatchType{
	"string": syncdef.MatchText, "email": syncdef.MatchText, "url": syncdef.MatchText, "phone": syncdef.MatchText,
	"picklist": syncdef.MatchText, "combobox": syncdef.MatchText, "textarea": syncdef.MatchText, "encryptedstring": syncdef.MatchText,
	"double": syncdef.MatchNumber, "int": syncdef.MatchNumber, "long": syncdef.MatchNumber, "currency": syncdef.MatchNumber, "percent": syncdef.MatchNumber,
	"id": syncdef.MatchID, "reference": syncdef.MatchID,
}

// MatchField implements dest.Describer by the object's describe ("REST API
// Developer Guide", sObject Describe), which shows the fields that the integration
// user may read. A unique field tells case where caseSensitive says so.
func (a *account) MatchField(ctx context.Context, d *syncdef.Definition) (dest.MatchField, error) {
	op := "describe " + d.Object
	answer, err := a.client.do(ctx, request{op: op, method: http.MethodGet, path: "sobjects/" + d.Object + "/describe"})
	if err != nil {
		return dest.MatchField{}, err
	}
	defer answer.free()
	out, _, err := readMatchField(answer.body, d.Match.Destination)
	if err != nil {
		return dest.MatchField{}, unreadable(op, err)
	}
	return out, nil
}

// readMatchField reads a field, and its type as describe calls it.
func readMatchField(body []byte, field string) (out dest.MatchField, kind string, err error) {
	if err := whole(body); err != nil {
		return out, "", err
	}
	listed := false
	err = members(body, func(name string, v jsontext.Value) error {
		if name != "fields" {
			return nil
		}
		listed = true
		return elements(v, func(v jsontext.Value) error {
			var called, typed string
			var sensitive bool
			err := members(v, func(name string, v jsontext.Value) error {
				switch name {
				case "name":
					called, _ = rawjson.Text(v)
				case "type":
					typed, _ = rawjson.Text(v)
				case "caseSensitive":
					sensitive, _ = rawjson.Bool(v)
				}
				return nil
			})
			if err == nil && strings.EqualFold(called, field) {
				kind = typed
				out = dest.MatchField{Known: true, Type: matchTypes[kind]}
				out.Case = sensitive && out.Type == syncdef.MatchText
			}
			return err
		})
	})
	if err == nil && !listed {
		err = errShape
	}
	return out, kind, err
}
