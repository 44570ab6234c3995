package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// largestObject bounds one row of a file, in bytes: below the 16 MiB that DuckDB reads.
const largestObject = 8 << 20

var (
	errNoObject = errors.New("a row is a JSON object, and this is none")
	errAfter    = errors.New("the array ends here, and nothing may follow it")
	errLarge    = fmt.Errorf("this object has more than %d MB, and is no row", largestObject>>20)
)

// jsonRows are the objects of a file, in an array or one after the other, as they are
// written: read_json makes doubles of long numbers, and other texts of ids and times.
// The file is read once before the first row is sent.
func jsonRows(path string) (relation, error) {
	f, err := os.Open(path)
	if err != nil {
		return relation{}, fmt.Errorf("read the rows: %w", err)
	}
	defer f.Close()
	o := objects{format: "newline_delimited", spelled: map[string]bool{}, folded: map[string]bool{}}
	r := bufio.NewReader(f)
	if mark, err := r.Peek(3); err == nil && string(mark) == "\ufeff" {
		o.format = "unstructured" // DuckDB refuses the mark before lines
		o.before, _ = r.Discard(3)
	}
	if err := o.read(jsontext.NewDecoder(r)); err != nil {
		return relation{}, o.fault(path, err)
	}
	return relation{fmt.Sprintf("(SELECT %s AS %s FROM read_json_objects(%s, format = '%s'))", o.row(), syncdef.RowAlias, literal(path), o.format)}, nil
}

// objects are what reading a file once shows.
type objects struct {
	format  string          // as DuckDB names it
	before  int             // bytes before the JSON
	at      int64           // where the object in hand starts in the JSON
	names   []string        // all that objects have, each in its first spelling
	folded  map[string]bool // the same, in lower case
	spelled map[string]bool // each spelling in the file
	fewest  int             // names of the object that has the fewest
}

func (o *objects) read(d *jsontext.Decoder) error {
	if d.PeekKind() == '[' {
		o.format = "array"
		if _, err := d.ReadToken(); err != nil {
			return err
		}
	}
	for first := true; ; first = false {
		kind := d.PeekKind()
		if kind == ']' && o.format == "array" {
			if _, err := d.ReadToken(); err != nil {
				return err
			}
			o.at = d.InputOffset()
			if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
				return cmp.Or(err, errAfter)
			}
			return nil
		}
		gap := d.UnreadBuffer()
		gap = gap[:len(gap)-len(bytes.TrimLeft(gap, ", \t\r\n"))]
		v, err := d.ReadValue()
		if errors.Is(err, io.EOF) && o.format != "array" {
			return nil
		}
		if err != nil {
			return err
		}
		o.at = d.InputOffset() - int64(len(v))
		alone := first || bytes.ContainsRune(gap, '\n')
		if o.format == "newline_delimited" && (!alone || bytes.ContainsRune(v, '\n')) {
			o.format = "unstructured"
		}
		if err := o.add(v, first); err != nil {
			return err
		}
	}
}

// add notes the names of one object.
func (o *objects) add(v jsontext.Value, first bool) error {
	switch {
	case v.Kind() != '{':
		return errNoObject
	case len(v) > largestObject:
		return errLarge
	}
	n := 0
	for w := rawjson.Members(v).AnyDepth(); w.Next(); n++ {
		if o.spelled[string(w.Quoted())] {
			continue
		}
		o.spelled[string(w.Quoted())] = true
		name, _ := rawjson.Text(w.Quoted())
		if key := strings.ToLower(name); !o.folded[key] {
			o.folded[key] = true
			o.names = append(o.names, name)
		}
	}
	if first || n < o.fewest {
		o.fewest = n
	}
	return nil
}

// row is the expression of an object, with null under each name that it lacks and others
// have, in any case. As a model's row it then has all columns.
func (o *objects) row() string {
	if o.fewest == len(o.names) && len(o.spelled) == len(o.names) {
		return "json"
	}
	names := make([]string, len(o.names))
	for i, n := range o.names {
		names[i] = literal(n)
	}
	lacks := "list_filter([" + strings.Join(names, ", ") + "], lambda n: NOT list_contains(list_transform(json_keys(json), lambda k: lower(k)), lower(n)))"
	return `CAST(concat('{', concat_ws(',', nullif(trim(substr(CAST(json AS VARCHAR), 2, length(CAST(json AS VARCHAR)) - 2), E' \t\r\n'), ''),
		nullif(array_to_string(list_transform(` + lacks + `, lambda n: CAST(to_json(n) AS VARCHAR) || ':null'), ','), '')), '}') AS JSON)`
}

// fault names the line, and shows no value (I6).
func (o *objects) fault(path string, err error) error {
	at, why := o.at, err
	s, syntax := errors.AsType[*jsontext.SyntacticError](err)
	if syntax {
		at = s.ByteOffset
	}
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		why = fmt.Errorf("the key %q comes twice in an object; rename one", s.JSONPointer.LastToken())
	case errors.Is(err, io.ErrUnexpectedEOF):
		why = errors.New("the JSON is cut off here")
	case syntax:
		why = errors.New("this is not JSON")
	case !slices.Contains([]error{errNoObject, errAfter, errLarge}, err):
		return fmt.Errorf("read %s: %w", path, err)
	}
	line, err := lineAt(path, at+int64(o.before))
	if err != nil {
		return err
	}
	return fmt.Errorf("%s:%d: %w", path, line, why)
}

// lineAt is the line of a file's byte, from 1.
func lineAt(path string, at int64) (int, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("read the rows: %w", err)
	}
	defer f.Close()
	line, r := 1, bufio.NewReader(io.LimitReader(f, at))
	for {
		_, err := r.ReadSlice('\n')
		switch {
		case err == nil:
			line++
		case errors.Is(err, io.EOF):
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return 0, fmt.Errorf("read the rows: %w", err)
		}
	}
}
