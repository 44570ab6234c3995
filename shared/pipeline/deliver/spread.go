package deliver

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/rawjson"
)

// spread appends an object's members as fields of their own; what a mapping writes by
// its name is the mapping's. A null has none.
func spread(fields []dest.Field, names []string, prefix string, v jsontext.Value) []dest.Field {
	if v.Kind() != '{' {
		return fields
	}
	w := rawjson.Members(v)
	for w.Next() {
		name, _ := rawjson.Text(w.Quoted())
		name = prefix + name
		if name == "" || slices.ContainsFunc(names, func(own string) bool { return strings.EqualFold(own, name) }) {
			continue
		}
		fields = append(fields, dest.Field{Name: name, Value: w.Value()})
	}
	return fields
}
