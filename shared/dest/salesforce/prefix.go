package salesforce

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// prefix is how the Ids of the object's records begin. A delete names Ids alone, of any
// object ("REST API Developer Guide", Delete Records Using sObject Collections), so that
// what tells the object of one is its first three characters, keyPrefix of describe.
type prefix struct {
	turn chan struct{} // to describe the object, and to read the other
	text string        // "" while it is not known
}

// deletes reports whether rows delete records: not where a look alone asks for them so.
func (d *destination) deletes() bool {
	return d.def.OnDelete != syncdef.RemoveClear && (d.def.OnDelete != "" || d.def.Operation != syncdef.Update)
}

// ownIDs are the outcomes of records that a row names by Id and removes: found where the Id
// is one of the object's. The object is described once.
func (d *destination) ownIDs(ctx context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error) {
	begins, err := d.begins(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]dest.Outcome, len(c.Records))
	for i, at := range c.Records {
		id, valid := id18(b.Records[at].Key)
		switch {
		case valid && begins != "" && id[:len(begins)] == begins:
			out[i] = dest.Outcome{Status: dest.Found, ID: id}
		case begins == "":
			out[i] = d.foreign("Salesforce does not say how Ids of " + d.def.Object + " begin, so that another object's record might be deleted: match by another field")
		default:
			out[i] = d.foreign("the Id is not of " + d.def.Object + ", whose Ids begin with " + begins + ": nothing is deleted; correct the row, or destination_object")
		}
	}
	return out, nil
}

func (d *destination) foreign(message string) dest.Outcome {
	return dest.Outcome{Status: dest.Rejected, Code: "bad_match_value", Field: d.def.Match.Destination, Message: message}
}

// begins is the object's prefix; "" where describe tells none of three characters.
func (d *destination) begins(ctx context.Context) (string, error) {
	select {
	case d.prefix.turn <- struct{}{}:
		defer func() { <-d.prefix.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if d.prefix.text != "" {
		return d.prefix.text, nil
	}
	op := "describe " + d.def.Object
	answer, err := d.client.do(ctx, request{op: op, method: http.MethodGet, path: "sobjects/" + url.PathEscape(d.def.Object) + "/describe"})
	if err != nil {
		return "", err
	}
	defer answer.free()
	var object struct {
		Prefix *string            `json:"keyPrefix"`
		Fields *[]json.RawMessage `json:"fields"`
	}
	if whole(answer.body) != nil || json.Unmarshal(answer.body, &object) != nil || object.Fields == nil {
		return "", unreadable(op, errShape)
	}
	if object.Prefix != nil && len(*object.Prefix) == len("001") {
		d.prefix.text = *object.Prefix
	}
	return d.prefix.text, nil
}
