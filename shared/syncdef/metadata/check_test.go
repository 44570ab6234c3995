package metadata_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/metadata"
)

// account is an object as an account with some of everything shows it.
func account() *metadata.Object {
	texts := []syncdef.Type{syncdef.String, syncdef.Email, syncdef.Picklist}
	return &metadata.Object{Name: "Account", Fold: true, Remedy: "create it", Match: metadata.MatchKey, KeyLack: "is no external id", Fields: []metadata.Field{
		{Name: "Id", Type: "id", NoCreate: true, NoUpdate: true, Why: "the vendor gives it"},
		{Name: "Name", Label: "Account Name", Type: "string", Takes: texts, Length: 10, Required: true},
		{Name: "Key__c", Type: "string", Takes: texts, Length: 20, Unique: true, Key: true},
		{Name: "Notes", Type: "textarea", Takes: texts, Length: 32_000, NoSearch: true},
		{Name: "Score__c", Type: "double", Takes: []syncdef.Type{syncdef.Number, syncdef.Integer}, Precision: 5, Scale: 1},
		{Name: "Status__c", Type: "picklist", Takes: []syncdef.Type{syncdef.Picklist, syncdef.String}, Length: 255,
			Options: []metadata.Option{{Value: "At Risk"}, {Value: "healthy", Label: "Doing well"}, {Value: "Lost", Inactive: true}, {Value: "VIP", Hidden: true}}},
		{Name: "Tier__c", Type: "picklist", Takes: []syncdef.Type{syncdef.Picklist}, Options: []metadata.Option{{Value: "gold"}}, Open: true},
		{Name: "Tags__c", Type: "multipicklist", Options: []metadata.Option{{Value: "a"}, {Value: "b"}}, Several: true},
		{Name: "Parent__c", Type: "reference", NoUpdate: true},
		{Name: "Address", Type: "object", Takes: []syncdef.Type{syncdef.JSON}},
		{Name: "Rate__c", Type: "double", NoCreate: true, Takes: []syncdef.Type{syncdef.Number}},
	}}
}

func upsert(fields ...syncdef.Field) syncdef.Definition {
	fields = append([]syncdef.Field{{Source: "n", Destination: "Name", Type: syncdef.String, MaxLength: 10}}, fields...)
	return syncdef.Definition{Sync: "s", Object: "Account", Operation: syncdef.Upsert, OnMissing: syncdef.Create, Strategy: syncdef.MatchExternalID,
		Match: syncdef.Match{Source: "k", Destination: "Key__c"}, Fields: fields}
}

// neverEmpty has Notes refuse a null.
func neverEmpty(o *metadata.Object) { o.Find("Notes").NoNull = true }

func text(s string) *string { return &s }
func yes(b bool) *bool      { return &b }
func places(n int) *int     { return &n }

// A deleting row that empties what a record needs is told before the first one fails.
func TestCheckCleared(t *testing.T) {
	d := upsert()
	d.OnDelete = syncdef.RemoveClear
	want := []syncdef.Fault{{Path: "on_delete", Message: "on_delete: clear empties every mapped field, and a record needs these, so that deleting rows may fail: Name; remove the record instead, or leave them out of a sync that deletes"}}
	if got := metadata.Check(&d, account()); len(got.Faults) > 0 || cmp.Diff(want, got.Notices) != "" {
		t.Errorf("%+v", got)
	}
	d.OnDelete = syncdef.RemoveDelete
	if got := metadata.Check(&d, account()); got.Notices != nil {
		t.Errorf("%+v", got.Notices)
	}
}

// What an account would refuse is told, each fault at its key and with what mends it.
func TestCheckFields(t *testing.T) {
	for name, test := range map[string]struct {
		field          syncdef.Field
		fault, notice  string // "path: part of the message"; "" is none
		change         func(*syncdef.Definition)
		changeMetadata func(*metadata.Object)
	}{
		"sound":               {field: syncdef.Field{Destination: "score__C", Type: syncdef.Number, Scale: places(1), Min: "-9999.9", Max: "9999.9"}},
		"unknown":             {field: syncdef.Field{Destination: "Zebra"}, fault: "destination: Account has no field Zebra: create it"},
		"mistyped":            {field: syncdef.Field{Destination: "Scor__c"}, fault: "destination: Account has no field Scor__c; did you mean Score__c? If not: create it"},
		"by its label":        {field: syncdef.Field{Destination: "account name"}, fault: "destination: Account has no field account name; did you mean Name?"},
		"made":                {field: syncdef.Field{Destination: "Zebra"}, changeMetadata: func(o *metadata.Object) { o.Makes = true }},
		"read-only":           {field: syncdef.Field{Destination: "Id"}, fault: "destination: field Id cannot be written: the vendor gives it"},
		"new only, upsert":    {field: syncdef.Field{Destination: "Parent__c"}, fault: "destination: field Parent__c can be given to new records only"},
		"new only, insert":    {field: syncdef.Field{Destination: "Parent__c"}, change: func(d *syncdef.Definition) { d.Operation = syncdef.Insert }},
		"not new, upsert":     {field: syncdef.Field{Destination: "Rate__c", Type: syncdef.Number}, fault: "destination: field Rate__c cannot be given to new records: remove"},
		"not new, update":     {field: syncdef.Field{Destination: "Rate__c", Type: syncdef.Number}, change: func(d *syncdef.Definition) { d.Operation = syncdef.Update }},
		"wrong type":          {field: syncdef.Field{Destination: "Score__c", Type: syncdef.Boolean}, fault: "data_type: boolean, but field Score__c is of type double: write data_type: number"},
		"no type is string":   {field: syncdef.Field{Destination: "Score__c"}, fault: "data_type: string, but field Score__c"},
		"too long":            {field: syncdef.Field{Destination: "Key__c", MaxLength: 21}, fault: "max_length: 21, but field Key__c takes 20 characters"},
		"just as long":        {field: syncdef.Field{Destination: "Key__c", MaxLength: 20}},
		"long default":        {field: syncdef.Field{Destination: "Key__c", MaxLength: 9, Default: text(strings.Repeat("x", 21))}, fault: "default: \"xxxxxxxxxxxxxxxxxxxxx\" has 21 characters, but field Key__c takes 20"},
		"emoji are two":       {field: syncdef.Field{Destination: "Key__c", MaxLength: 9, Default: text(strings.Repeat("🐟", 11))}, fault: "default: "},
		"unbounded":           {field: syncdef.Field{Destination: "Key__c"}, notice: "field_mappings: a text longer than its field takes is refused, unless max_length and on_too_long say otherwise: Key__c (20)"},
		"unbounded and large": {field: syncdef.Field{Destination: "Notes"}},
		"values":              {field: syncdef.Field{Destination: "Status__c", Type: syncdef.Picklist, Values: []string{"At Risk", "HEALTHY"}}},
		"inactive value":      {field: syncdef.Field{Destination: "Status__c", Type: syncdef.Picklist, Values: []string{"At Risk", "Lost"}}, fault: `values[1]: "Lost" is an inactive value of field Status__c: activate it, or leave it out`},
		"inactive, any case":  {field: syncdef.Field{Destination: "Status__c", Type: syncdef.Picklist, Values: []string{"LOST"}}, fault: `values[0]: "LOST" is an inactive value of field Status__c`},
		"hidden value":        {field: syncdef.Field{Destination: "Status__c", Type: syncdef.Picklist, Values: []string{"VIP"}}, notice: `values[0]: "VIP" is a hidden value`},
		"unknown value":       {field: syncdef.Field{Destination: "Status__c", Type: syncdef.Picklist, Values: []string{"Zebra"}}, fault: `values[0]: "Zebra" is no value of field Status__c, which has: At Risk, healthy`},
		"mistyped value":      {field: syncdef.Field{Destination: "Status__c", Type: syncdef.Picklist, Values: []string{"At risc"}}, fault: `values[0]: "At risc" is no value of field Status__c; did you mean "At Risk"?`},
		"a value's label":     {field: syncdef.Field{Destination: "Status__c", Type: syncdef.Picklist, Values: []string{"Doing Well"}}, fault: `values[0]: "Doing Well" is how field Status__c shows a value; what is sent is "healthy"`},
		"default value":       {field: syncdef.Field{Destination: "Status__c", Default: text("Zebra")}, fault: `default: "Zebra" is no value`},
		"other values":        {field: syncdef.Field{Destination: "Tier__c", Type: syncdef.Picklist, Values: []string{"gold", "iron"}}, notice: `values[1]: "iron" is no value of field Tier__c, which has: gold`},
		"several values":      {field: syncdef.Field{Destination: "Tags__c", Type: syncdef.Picklist, Values: []string{"a;b", "a;c"}}, fault: `values[1]: "c" is no value of field Tags__c; did you mean "a"?`},
		"large number":        {field: syncdef.Field{Destination: "Score__c", Type: syncdef.Number, Max: "12345.5"}, fault: "max: 12345.5 has 5 digits before the point, but field Score__c takes 4"},
		"small number":        {field: syncdef.Field{Destination: "Score__c", Type: syncdef.Integer, Min: "-12345"}, fault: "min: -12345 has 5 digits"},
		"large default":       {field: syncdef.Field{Destination: "Score__c", Type: syncdef.Number, Default: text("12345")}, fault: "default: it has 5 digits"},
		"constant":            {field: syncdef.Field{Value: text("Zebra"), Destination: "Status__c"}, fault: `value: "Zebra" is no value of field Status__c`},
		"long constant":       {field: syncdef.Field{Value: text(strings.Repeat("x", 21)), Destination: "Key__c"}, fault: "value: "},
		"good constant":       {field: syncdef.Field{Value: text("x"), Destination: "Key__c"}},
		"large constant":      {field: syncdef.Field{Value: text("12345"), Destination: "Score__c", Type: syncdef.Number}, fault: "value: it has 5 digits"},
		"template":            {field: syncdef.Field{Value: text("{{a}} Zebra"), Destination: "Status__c"}},
		"within an object":    {field: syncdef.Field{Destination: "Address.city"}},
		"within a text":       {field: syncdef.Field{Destination: "Notes.city"}, fault: "destination: Notes.city leads into field Notes, which is of type textarea and holds no object"},
		"within nothing":      {field: syncdef.Field{Destination: "Zebra.city"}, fault: "destination: Account has no field Zebra.city: create it"},
		"a set of values":     {field: syncdef.Field{Destination: "Tags__c", Type: syncdef.MultiPicklist, Values: []string{"a", "b"}, Default: text("a;b")}},
		"null refused":        {field: syncdef.Field{Source: "a", Destination: "Notes", OnNull: syncdef.ClearNull}, changeMetadata: neverEmpty, notice: "on_null: field Notes is never empty, and a row whose value is null is refused: write default, or on_null: skip"},
		"null skipped":        {field: syncdef.Field{Source: "a", Destination: "Notes", OnNull: syncdef.SkipNull}, changeMetadata: neverEmpty},
		"null has a default":  {field: syncdef.Field{Source: "a", Destination: "Notes", OnNull: syncdef.DefaultNull, Default: text("x")}, changeMetadata: neverEmpty},
		"never null":          {field: syncdef.Field{Value: text("x"), Destination: "Notes"}, changeMetadata: neverEmpty},
		"rounded":             {field: syncdef.Field{Destination: "Score__c", Type: syncdef.Number, Scale: places(2)}, notice: "scale: 2, but field Score__c keeps 1 digits after the point: values are rounded there"},
	} {
		t.Run(name, func(t *testing.T) {
			d, o := upsert(test.field), account()
			if test.change != nil {
				test.change(&d)
			}
			if test.changeMetadata != nil {
				test.changeMetadata(o)
			}
			r := metadata.Check(&d, o)
			one(t, "fault", r.Faults, "field_mappings[1].", test.fault)
			one(t, "notice", r.Notices, "field_mappings[1].", test.notice)
		})
	}
}

// one wants one fault of that beginning, or none.
func one(t *testing.T, what string, got []syncdef.Fault, prefix, want string) {
	t.Helper()
	switch {
	case want == "" && len(got) > 0, want != "" && len(got) != 1:
		t.Errorf("%ss: %v, want %q", what, syncdef.Faults(got), want)
	case want == "":
	default:
		key, _, _ := strings.Cut(want, ":")
		plain, _, _ := strings.Cut(key, "[")
		if path := strings.TrimPrefix(got[0].Path, prefix); path != key {
			t.Errorf("%s at %s, want %s", what, path, key)
		}
		if !strings.HasPrefix(got[0].Message, plain+strings.TrimPrefix(want, key)) {
			t.Errorf("%s %q, want %q", what, got[0].Message, want)
		}
	}
}

// What is asked of the object, the match and a new record depends on what rows may do.
func TestCheckRecords(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*syncdef.Definition, *metadata.Object)
		want   []string // paths
		says   string
	}{
		"sound":         {func(*syncdef.Definition, *metadata.Object) {}, nil, ""},
		"match unknown": {func(d *syncdef.Definition, _ *metadata.Object) { d.Match.Destination = "Kex__c" }, []string{"match.destination"}, "did you mean Key__c?"},
		"match no key":  {func(d *syncdef.Definition, _ *metadata.Object) { d.Match.Destination = "Notes" }, []string{"match.destination"}, "which is no external id: match by another one, such as Key__c"},
		"match no key, none has": {func(d *syncdef.Definition, o *metadata.Object) {
			d.Match.Destination = "Notes"
			o.Fields[2].Key = false
		}, []string{"match.destination"}, "Account has no field to match by, so make one"},
		"match, not creatable":  {func(d *syncdef.Definition, o *metadata.Object) { o.Fields[2].NoCreate = true }, []string{"match.destination"}, "field Key__c cannot be given to new records"},
		"match, not changeable": {func(d *syncdef.Definition, o *metadata.Object) { o.Fields[2].NoUpdate = true }, nil, ""},
		"match a number by text": {func(d *syncdef.Definition, o *metadata.Object) {
			d.Match.Destination, d.Strategy, o.Match = "Score__c", syncdef.MatchName, metadata.MatchSearch
		}, []string{"match.destination"}, "compares texts, but field Score__c is of type double"},
		"match a number as text": {func(d *syncdef.Definition, o *metadata.Object) {
			d.Match.DataType, o.Fields[2].Compared = syncdef.MatchText, syncdef.MatchNumber
		}, []string{"match.data_type"}, "text, but field Key__c holds a number: write data_type: number"},
		"match by case": {func(d *syncdef.Definition, o *metadata.Object) {
			d.Match.Case, o.Fields[2].Case = yes(true), yes(false)
		}, []string{"match.case"}, "true, but field Key__c compares texts without regard to case: leave it out, or make the field case-sensitive"},
		"match not by case": {func(d *syncdef.Definition, o *metadata.Object) {
			d.Match.Case, o.Fields[2].Case = yes(false), yes(true)
		}, []string{"match.case"}, "false, but field Key__c is case-sensitive"},
		"match as it is":     {func(d *syncdef.Definition, o *metadata.Object) { d.Match.Case, o.Fields[2].Case = yes(true), yes(true) }, nil, ""},
		"match, case untold": {func(d *syncdef.Definition, _ *metadata.Object) { d.Match.Case = yes(true) }, nil, ""},
		"match a number": {func(d *syncdef.Definition, o *metadata.Object) {
			d.Match.Destination, d.Strategy, o.Match = "Score__c", syncdef.MatchField, metadata.MatchSearch
		}, nil, ""},
		"match by search": {func(d *syncdef.Definition, o *metadata.Object) {
			d.Match.Destination = "Name"
			o.Match = metadata.MatchSearch
		}, nil, ""},
		"match not searchable": {func(d *syncdef.Definition, o *metadata.Object) {
			d.Match.Destination = "Notes"
			o.Match = metadata.MatchSearch
		}, []string{"match.destination"}, "cannot be searched by field Notes (textarea)"},
		"match nothing": {func(d *syncdef.Definition, o *metadata.Object) {
			d.Match.Destination = "Zebra"
			o.Match = metadata.MatchNothing
		}, nil, ""},
		"required": {func(d *syncdef.Definition, _ *metadata.Object) { d.Fields = nil }, []string{"field_mappings"}, "a new record of Account needs field Name"},
		"required, matched by": {func(d *syncdef.Definition, o *metadata.Object) {
			d.Fields = nil
			d.Match.Destination, o.Match = "Name", metadata.MatchSearch
		}, nil, ""},
		"required, update": {func(d *syncdef.Definition, _ *metadata.Object) { d.Fields, d.Operation = nil, syncdef.Update }, nil, ""},
		"required, report": {func(d *syncdef.Definition, _ *metadata.Object) { d.Fields, d.OnMissing = nil, syncdef.Report }, nil, ""},
		"no create":        {func(_ *syncdef.Definition, o *metadata.Object) { o.NoCreate = true }, []string{"operation"}, "upsert, but the connection's user may not create records of Account"},
		"no write":         {func(_ *syncdef.Definition, o *metadata.Object) { o.NoCreate, o.NoUpdate = true, true }, []string{"operation"}, "may not create and change records"},
		"no create, update": {func(d *syncdef.Definition, o *metadata.Object) {
			d.Operation, o.NoCreate = syncdef.Update, true
		}, nil, ""},
		"no delete": {func(d *syncdef.Definition, o *metadata.Object) { d.Operation, o.NoDelete = syncdef.Delete, true }, []string{"operation"}, "may not delete records"},
		"no delete, cleared": {func(d *syncdef.Definition, o *metadata.Object) {
			d.Operation, d.OnDelete, o.NoDelete = syncdef.Delete, syncdef.RemoveClear, true
		}, nil, ""},
		"no delete, no need": {func(_ *syncdef.Definition, o *metadata.Object) { o.NoDelete = true }, nil, ""},
		"the vendor's own": {func(_ *syncdef.Definition, o *metadata.Object) {
			o.Faults = []syncdef.Fault{{Path: "x.y", Message: "no"}}
		}, []string{"x.y"}, "no"},
		"a prefix may stand": {func(d *syncdef.Definition, o *metadata.Object) {
			o.Prefix = "own."
			d.Fields[0].Destination = "own.Name"
		}, nil, ""},
		"case where it tells": {func(d *syncdef.Definition, o *metadata.Object) { o.Fold = false; d.Fields[0].Destination = "name" }, []string{"field_mappings[0].destination", "field_mappings"}, "did you mean Name?"},
	} {
		d, o := upsert(), account()
		test.change(&d, o)
		r := metadata.Check(&d, o)
		var got []string
		for _, f := range r.Faults {
			got = append(got, f.Path)
		}
		if diff := cmp.Diff(test.want, got); diff != "" || !strings.Contains(syncdef.Faults(r.Faults).Error(), test.says) {
			t.Errorf("%s: %s%v", name, diff, syncdef.Faults(r.Faults))
		}
	}
}

// What a definition needs and lacks is told apart.
func TestNeeds(t *testing.T) {
	d := upsert()
	if diff := cmp.Diff([]string{"create", "change"}, metadata.Needs(&d)); diff != "" {
		t.Error(diff)
	}
	if lacks := metadata.Lacks(&d, account()); lacks != nil {
		t.Error(lacks)
	}
	if diff := cmp.Diff([]string{"create"}, metadata.Lacks(&d, &metadata.Object{NoCreate: true, NoDelete: true})); diff != "" {
		t.Error(diff)
	}
}
