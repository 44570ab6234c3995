package schema

import (
	"fmt"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"regexp"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// filesParagraph is the last paragraph of a destination type's doc.go, which is for
// whoever changes its code.
var filesParagraph = regexp.MustCompile(`(?m)^Files: `)

// DestinationPage gives a destination type's own page, as Markdown: what the package
// comment of its doc.go says (source), and its tables of keys.
func DestinationPage(kind syncdef.Kind, source []byte) ([]byte, error) {
	file, err := parser.ParseFile(token.NewFileSet(), kind.Name+"/doc.go", source, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil {
		return nil, fmt.Errorf("read the comment of package %s: %w", kind.Name, err)
	}
	text := file.Doc.Text()
	if at := filesParagraph.FindStringIndex(text); at != nil {
		text = text[:at[0]]
	}
	text = strings.Replace(text, "Package "+kind.Name+" ", "The destination type "+kind.Name+" ", 1)
	var p page
	p.line("# %s\n", kind.Title)
	var read comment.Parser
	write := comment.Printer{HeadingLevel: 2, HeadingID: func(*comment.Heading) string { return "" }}
	p.line("%s", strings.TrimSpace(string(write.Markdown(read.Parse(text)))))
	var keys page
	keys.kind(kind)
	p.WriteString(strings.Replace(keys.String(), "\n## "+kind.Title+"\n", "\n## In a definition\n", 1))
	if len(kind.Connection) > 0 {
		p.table("A connection of type "+kind.Name, kind.Connection, "In `connections.yaml`, beside the keys that every connection has.")
	}
	p.line("\nEvery other key is in the [configuration](../configuration.md).")
	return []byte(p.String()), nil
}

// DestinationIndex gives the page that names the types' pages.
func DestinationIndex(kinds []syncdef.Kind) []byte {
	var p page
	p.line("# Destinations\n")
	for _, kind := range kinds {
		p.line("- [%s](%s.md): %s", kind.Title, kind.Name, codes(kind.Carries()))
	}
	return []byte(p.String())
}
