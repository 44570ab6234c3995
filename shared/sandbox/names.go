package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
)

// goType is what a decoder of YAML says of this program, not of the file.
var goType = regexp.MustCompile(` (into|in type) .*`)

// NamesFault is why a file of names (Settings.Names) cannot be decoded, in words of the
// file, with the shape that is wanted.
func NamesFault(err error, shape string) error {
	if wrong, is := errors.AsType[*json.UnmarshalTypeError](err); is {
		where := "the file"
		if wrong.Field != "" {
			where = wrong.Field
		}
		return fmt.Errorf("%s has another shape (%s): write %s", where, wrong.Value, shape)
	}
	return fmt.Errorf("%s: write %s", goType.ReplaceAllString(err.Error(), ""), shape)
}
