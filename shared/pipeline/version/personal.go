package version

import (
	"bytes"
	"slices"

	"github.com/penstock-data/penstock/shared/rawjson"
)

// Hidden stands for a value of personal data where stored rows are shown.
const Hidden = "(personal)"

// Hide is a row whose values in these columns are Hidden, nulls left as they are;
// columns match without regard to case. A row that cannot be read is nil.
func Hide(object []byte, columns []string) []byte {
	out := make([]byte, 0, len(object))
	out = append(out, '{')
	w := rawjson.Members(object)
	for n := 0; w.Next(); n++ {
		if n > 0 {
			out = append(out, ',')
		}
		out = append(append(out, w.Quoted()...), ':')
		name, _ := rawjson.Text(w.Quoted())
		personal := slices.ContainsFunc(columns, func(c string) bool { return bytes.EqualFold([]byte(c), []byte(name)) })
		switch v := w.Value(); {
		case personal && v.Kind() != 'n':
			out = rawjson.AppendQuote(out, Hidden)
		default:
			out = append(out, v...)
		}
	}
	if w.Err() != nil {
		return nil
	}
	return append(out, '}')
}
