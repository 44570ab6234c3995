package duckdb

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// An Attachment is another DuckDB file that a model reads: one of the ATTACH statements
// that may stand before its SELECT.
type Attachment struct {
	File   string // as it is written
	Name   string // of the database in the model's SELECT
	Offset int    // of the statement in the text, in bytes
}

// attachment is what may be written: the options are those of a file that is read.
var attachment = regexp.MustCompile(`(?is)^ATTACH\s+(?:DATABASE\s+)?(?:IF\s+NOT\s+EXISTS\s+)?'((?:[^']|'')+)'(?:\s+AS\s+("?)([A-Za-z_][A-Za-z0-9_]*)("?))?(?:\s*\(\s*READ_ONLY(?:\s+TRUE)?\s*\))?\s*$`)

// Attachments cuts the ATTACH statements off the head of a model's text: rest is the
// text with blanks in their place, so that every other byte stands where it stood. The
// error says what may be written.
func Attachments(text string) (all []Attachment, rest string, err error) {
	rest = text
	pieces, _ := Split(text)
	for _, p := range pieces {
		skipped := comments(p.Text)
		code := p.Text[skipped:]
		if len(code) < len("ATTACH") || !strings.EqualFold(code[:len("ATTACH")], "ATTACH") {
			break
		}
		m := attachment.FindStringSubmatch(code)
		if len(m) < 5 || (m[2] == "") != (m[4] == "") {
			return nil, text, errors.New("a model attaches files as  ATTACH 'FILE.duckdb' AS NAME;  before its SELECT, to be read only")
		}
		a := Attachment{File: strings.ReplaceAll(m[1], "''", "'"), Name: m[3], Offset: p.Offset + skipped}
		if a.Name == "" {
			a.Name = strings.TrimSuffix(filepath.Base(a.File), filepath.Ext(a.File))
		}
		if reserved[strings.ToLower(a.Name)] {
			return nil, text, fmt.Errorf("a model attaches %s as %s, which has a meaning here: give it another name with AS", a.File, a.Name)
		}
		all = append(all, a)
		end := p.Offset + len(p.Text)
		if end < len(text) && text[end] == ';' { // trailing blanks are no part of the piece
			end++
		} else if i := strings.IndexByte(text[end:], ';'); i >= 0 {
			end += i + 1
		}
		rest = hollow(rest, p.Offset, end)
	}
	return all, rest, nil
}

// reserved are the databases that there are already.
var reserved = map[string]bool{catalog: true, "system": true, "temp": true, "memory": true, "main": true}

// catalog is the name under which the database file is attached.
const catalog = "warehouse"

// comments is the length of the comments and blanks that a text begins with.
func comments(text string) int {
	i := 0
	for i < len(text) {
		n, isCode := token(text[i:], false)
		if isCode {
			break
		}
		i += n
	}
	return i
}

// hollow is the text with blanks for a part of it; lines stay.
func hollow(text string, from, to int) string {
	b := []byte(text)
	for i := from; i < to; i++ {
		if b[i] != '\n' {
			b[i] = ' '
		}
	}
	return string(b)
}

// found is where a model's file is: in the working directory, or else in a folder.
func found(file, folder string) (string, error) {
	if filepath.IsAbs(file) {
		folder = ""
	}
	for _, path := range []string{file, filepath.Join(folder, file)} {
		if _, err := os.Stat(path); err == nil {
			return filepath.Abs(path)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("look for %s: %w", file, err)
		}
	}
	return "", noFile(file, folder)
}

// noFile says that a file is not there, and where it was looked for.
func noFile(file, folder string) error {
	if filepath.IsAbs(file) {
		return fmt.Errorf("there is no file %s", file)
	}
	where := "the working directory"
	if folder != "" {
		where += " and in " + folder
	}
	return fmt.Errorf("there is no file %s in %s", file, where)
}

// missingFile is what DuckDB says of a file that is not there.
var missingFile = regexp.MustCompile(`No files found that match the pattern "([^"\n]+)"`)

// modelFault is DuckDB's error of a model in one line; of a file that is not there it
// says where it was looked for.
func modelFault(err error, folder string) error {
	if m := missingFile.FindStringSubmatch(err.Error()); m != nil {
		return noFile(m[1], folder)
	}
	line, _, more := strings.Cut(err.Error(), "\n")
	if m := missingTable.FindStringSubmatch(line); m != nil {
		missing := &MissingTable{Name: m[1]}
		if near := nearTable.FindStringSubmatch(err.Error()); len(near) > 1 && !catalogTable.MatchString(near[1]) {
			missing.Near = near[1]
		}
		return missing
	}
	if !more {
		return err
	}
	return errors.New(line)
}

// missingTable and nearTable read what DuckDB says of a relation that is not there.
var (
	missingTable = regexp.MustCompile(`^Catalog Error: Table with name (\S+) does not exist!`)
	catalogTable = regexp.MustCompile(`^(pg_|duckdb_|sqlite_|pragma_|information_schema)`) // DuckDB's own, which nobody means
	nearTable    = regexp.MustCompile(`Did you mean "([^"\n]+)"\?`)
)

// A MissingTable says that a model reads a relation which the warehouse does not have.
type MissingTable struct {
	Name string // as the model writes it
	Near string // one that is there, of a like name; "" for none
}

// Error implements error.
func (m *MissingTable) Error() string {
	text := "the warehouse has no table or view " + m.Name + ", which its SELECT reads"
	if m.Near != "" {
		text += "; did you mean " + m.Near + "?"
	}
	return text
}
