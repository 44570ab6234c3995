package cli

import (
	"encoding/json"
	"io"
)

// printJSON prints one value for machines: indented, and with <, > and & as they are.
func printJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
