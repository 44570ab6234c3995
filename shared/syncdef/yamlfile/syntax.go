package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// syntax turns the YAML library's complaint into a fault at the line where the
// person erred, with the likely cause. The library stops at the first complaint,
// has no column, and often names the line of what the fault is in.
func (r *reader) syntax(src []byte, err error) {
	where, message := at{1, 1}, err.Error()
	if m := yamlError.FindStringSubmatch(message); m != nil {
		message = m[2]
		if line, err := strconv.Atoi(m[1]); err == nil {
			where.line = line
		}
	}
	s := source(strings.Split(string(src), "\n"))
	if len(src) <= longest {
		where.line = s.erred(where.line, err.Error())
	}
	if found, cause := s.cause(where.line); cause != "" {
		where, message = found, cause
	}
	r.fault(&yaml.Node{Line: where.line, Column: where.column}, "", "not valid YAML: %s", message)
}

var yamlError = regexp.MustCompile(`^(?:yaml: )?(?:line ([0-9]+): )?(.*)$`)

// unreadable finds the first character that no definition may have, "" for none.
func unreadable(src []byte) (at, string) {
	if where, what := notUTF8(src); what != "" {
		return where, what
	}
	where, begun := at{1, 1}, false
	src = bytes.TrimPrefix(src, []byte("\ufeff")) // a mark that some editors write
	for len(src) > 0 {
		c, n := utf8.DecodeRune(src)
		switch {
		case !begun && c != ' ' && c != '\t' && wide(c):
			return where, fmt.Sprintf("the character U+%04X indents this line, which looks like a blank and is none; YAML wants blanks", c)
		case c == '\n':
			where, begun = at{where.line + 1, 0}, false
		case c == '\r' && !bytes.HasPrefix(src[n:], []byte{'\n'}):
			return where, "a carriage return without a line feed stands here; save the file with line feeds"
		case c == 0x85, c == 0x2028, c == 0x2029: // the YAML library ends a line here, editors and people do not
			return where, fmt.Sprintf("the line separator U+%04X stands here, which most editors do not show; delete it", c)
		case c < ' ' && c != '\t' && c != '\r', c == 0x7f:
			return where, fmt.Sprintf("the control character U+%04X stands here; delete it", c)
		}
		begun = begun || c != ' ' && c != '\t' && c != '\n'
		where.column++
		src = src[n:]
	}
	return at{}, ""
}

// notUTF8 finds the first byte that is no text, "" for none.
func notUTF8(src []byte) (at, string) {
	if bytes.HasPrefix(src, []byte{0xff, 0xfe}) || bytes.HasPrefix(src, []byte{0xfe, 0xff}) {
		return at{1, 1}, "the file is UTF-16; save it as UTF-8"
	}
	where := at{1, 1}
	for src = bytes.TrimPrefix(src, []byte("\ufeff")); len(src) > 0; {
		c, n := utf8.DecodeRune(src)
		if c == utf8.RuneError && n == 1 {
			return where, "this byte is not UTF-8; save the file as UTF-8"
		}
		if where.column++; c == '\n' {
			where = at{where.line + 1, 1}
		}
		src = src[n:]
	}
	return at{}, ""
}

// wide reports whether a character looks like a blank.
func wide(c rune) bool { return unicode.Is(unicode.Zs, c) || c == 0x200b || c == 0xfeff }

// source is a file's lines, without their ends.
type source []string

// Bounds of the search for a line: of longer files, which no person wrote, the line
// is the library's; and as many bytes are parsed again.
const (
	longest = 128 << 10
	most    = 4 << 20
)

// erred is the first line from which on no beginning of the file is valid: that is
// where an unclosed quote or bracket opens, and where an indentation is wrong. told
// is the line that the library names, which is often that of the list or mapping
// around it, and complaint is what it says.
func (s source) erred(told int, complaint string) int {
	// What follows the place of the complaint had no part in it: every beginning that
	// holds the place is complained of alike.
	met := sort.Search(len(s), func(n int) bool { return s.invalid(n) == complaint })
	parsed := 0
	for end := min(met, len(s)); end > 0; end-- {
		if s.invalid(end-1) == "" {
			return end
		}
		for _, line := range s[:end-1] {
			parsed += len(line)
		}
		if parsed > most {
			break
		}
	}
	return told
}

// invalid is the complaint about the first n lines, "" for none.
func (s source) invalid(n int) string {
	dec := yaml.NewDecoder(strings.NewReader(strings.Join(s[:n], "\n") + "\n"))
	for {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return ""
		}
		if err != nil {
			return err.Error()
		}
	}
}

// line is a line by its number, the first being 1, without a carriage return.
func (s source) line(n int) string {
	if n < 1 || n > len(s) {
		return ""
	}
	return strings.TrimSuffix(s[n-1], "\r")
}
