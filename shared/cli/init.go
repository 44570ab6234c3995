package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
	"github.com/penstock-data/penstock/sql"
)

type initCmd struct {
	Dir         string `arg:"" optional:"" default:"." help:"The project's folder; made when it is absent."`
	Warehouse   string `help:"Where the rows are: duckdb (in this program) or snowflake." placeholder:"NAME"`
	Destination string `help:"The destination's type." placeholder:"TYPE"`
	Object      string `help:"The object, or the channel, that rows go to." placeholder:"NAME"`
	Key         string `help:"The column that tells rows apart." placeholder:"COLUMN"`
	From        string `help:"Take the columns from this CSV file; the folder's own when it has just one." placeholder:"FILE"`
	Name        string `help:"The sync's name; the destination's and the file's when not given." placeholder:"SYNC"`
}

// A project is what init writes, worked out before anything is written.
type project struct {
	initCmd
	kind    syncdef.Kind
	file    string // with the rows, as it is reached from the folder
	example bool   // the file is written too
	columns []syncdef.Column
	left    []string // columns that the sync does not read
	table   string
}

// Run asks, writes, and says what to do next.
func (c initCmd) Run(ctx context.Context, s program) error {
	if at, err := os.Stat(c.Dir); err == nil && !at.IsDir() {
		return fmt.Errorf("%s is a file: name a folder", c.Dir)
	}
	p := &project{initCmd: c}
	if err := p.ask(ctx, s); err != nil {
		return err
	}
	files, err := p.files(s.known.kinds())
	if err != nil {
		return faulty(s, err)
	}
	if err := writeProject(s, c.Dir, files); err != nil {
		return err
	}
	p.next(s)
	return nil
}

// ask gathers the answers, from flags, from the person, or the usual ones.
func (p *project) ask(ctx context.Context, s program) (err error) {
	a := newAsker(s)
	p.Warehouse, err = a.answer(ctx, question{text: "Warehouse", flag: "warehouse", allowed: []string{string(sql.DuckDB), string(sql.Snowflake)}, usual: string(sql.DuckDB)}, p.Warehouse)
	if err != nil {
		return err
	}
	kinds := exampled(s.known.kinds())
	if len(kinds) == 0 {
		return errors.New("no destination type here offers an example: write the sync by hand")
	}
	p.Destination, err = a.answer(ctx, question{text: "Destination", flag: "destination", allowed: kinds.Names(), usual: kinds[0].Name}, p.Destination)
	if err != nil {
		return err
	}
	p.kind, _ = kinds.Find(p.Destination)
	ex := p.kind.Example
	p.Object, err = a.answer(ctx, question{text: p.kind.Title + " " + ex.Ask, flag: "object", usual: ex.Object}, p.Object)
	if err != nil {
		return err
	}
	if err := p.rows(); err != nil {
		return err
	}
	if p.example && p.Key != "" && !hasColumn(columnNames(p.columns), p.Key) { // the example takes the name that is wanted
		p.columns[0].Name = p.Key
	}
	p.Key, err = a.answer(ctx, keyQuestion(columnNames(p.columns)), p.Key)
	return err
}

func columnNames(columns []syncdef.Column) []string {
	out := make([]string, len(columns))
	for i, column := range columns {
		out[i] = column.Name
	}
	return out
}

// exampled are the types that offer an example.
func exampled(kinds syncdef.Kinds) (out syncdef.Kinds) {
	for _, k := range kinds {
		if k.Example.Target != nil {
			out = append(out, k)
		}
	}
	return out
}

// rows finds the file whose columns are mapped: the one named, the folder's only
// one, or else an example that is written.
func (p *project) rows() (err error) {
	path := p.From
	if path == "" {
		if path, err = onlyCSV(p.Dir); err != nil {
			return err
		}
	}
	if path == "" {
		header := p.kind.Example.Rows[0]
		types := make([]typing, len(header))
		for _, row := range p.kind.Example.Rows[1:] {
			for i, v := range row {
				types[i].add(v)
			}
		}
		for i, name := range header {
			p.columns = append(p.columns, syncdef.Column{Name: name, Type: types[i].of(name)})
		}
		p.example, p.table = true, tableName(strings.TrimSuffix(header[0], "_id")+"s")
		p.file = p.table + ".csv"
		return nil
	}
	if p.columns, err = readColumns(path); err != nil {
		return err
	}
	base := filepath.Base(path)
	p.table = tableName(strings.TrimSuffix(base, filepath.Ext(base)))
	p.file = path
	if dir, err := filepath.Abs(p.Dir); err == nil {
		if abs, err := filepath.Abs(path); err == nil {
			p.file = abs
			if rel, err := filepath.Rel(dir, abs); err == nil && !strings.HasPrefix(rel, "..") {
				p.file = rel
			}
		}
	}
	return nil
}

// tableName is a table's name after a file's: small letters, digits and _, of a
// length that leaves room in a sync's name.
func tableName(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(c rune) bool { return !('a' <= c && c <= 'z' || '0' <= c && c <= '9') })
	name := strings.Join(words, "_")
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = "rows_" + name
	}
	return strings.Trim(name[:min(len(name), 40)], "_")
}

// connection is the connection that the sync uses: the folder's first of the type,
// else one that is added. text is what connections.yaml then holds, "" where it
// stays as it is.
func (p *project) connection(kinds []syncdef.Kind) (name, text string, err error) {
	path := filepath.Join(p.Dir, "syncs", yamlfile.ConnectionsFile)
	old, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return p.kind.Name, connectionsHead + p.settings(), nil
	}
	if err != nil {
		return "", "", fmt.Errorf("read the connections: %w", err)
	}
	conns, err := yamlfile.ParseConnections(path, old, kinds)
	if err != nil {
		return "", "", err
	}
	if has := conns.OfType(p.kind.Name); len(has) > 0 {
		return has[0].Name, "", nil
	}
	text = strings.TrimRight(string(old), "\n") + "\n" + p.settings()
	after, err := yamlfile.ParseConnections(path, []byte(text), kinds)
	if _, added := after.Find(p.kind.Name); err != nil || !added || len(after) != len(conns)+1 {
		return "", "", fmt.Errorf("%s has no connection of type %s, and it is written in a way that cannot be added to; add this under connections and try again:\n%s", path, p.kind.Name, p.settings())
	}
	return p.kind.Name, text, nil
}
