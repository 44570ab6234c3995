package cli

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// A projectFile is one file that init writes.
type projectFile struct {
	path, text, what string // below the project's folder
	keep             bool   // one that is there stays as it is
	grows            bool   // one that is there is replaced by itself and more
}

const connectionsHead = `# The accounts that the syncs of this folder write to. No secret stands here: the key
# secret names one in AWS Secrets Manager; on one machine it comes from the
# environment or a file, and simulated destinations need none.
connections:
`

// settings is the connection's part of connections.yaml.
func (p *project) settings() string {
	text := "  " + p.kind.Name + ":\n    type: " + p.kind.Name + "\n"
	for _, line := range p.kind.Example.Connection {
		text += "    " + line + "\n"
	}
	return text
}

// files works out every file, and checks that the sync is valid, before any is
// written. The error may be a syncdef.Faults.
func (p *project) files(kinds []syncdef.Kind) ([]projectFile, error) {
	name := p.Name
	if name == "" {
		name = p.kind.Name + "_" + p.table
	}
	p.Name = name
	if name+".yaml" == yamlfile.ConnectionsFile {
		return nil, usage("--name %s: syncs/%s is the file of the connections; give the sync another name", name, yamlfile.ConnectionsFile)
	}
	connection, connections, err := p.connection(kinds)
	if err != nil {
		return nil, err
	}
	if len(p.kind.Example.Fields(p.Key, p.columns)) == 0 {
		return nil, fmt.Errorf("%s has no column to send beside the key %s: add one to it", p.file, p.Key)
	}
	definition := p.definition(connection)
	held := connections
	if held == "" {
		old, err := os.ReadFile(filepath.Join(p.Dir, "syncs", yamlfile.ConnectionsFile))
		if err != nil {
			return nil, fmt.Errorf("read the connections: %w", err)
		}
		held = string(old)
	}
	conns, err := yamlfile.ParseConnections(yamlfile.ConnectionsFile, []byte(held), kinds)
	if err != nil {
		return nil, err
	}
	d, _, err := yamlfile.Parse(name+".yaml", []byte(definition), conns, kinds)
	if err != nil {
		return nil, err
	}
	if faults := syncdef.CheckColumns(d, columnNames(p.columns)); len(faults) > 0 {
		return nil, syncdef.Faults(faults)
	}
	p.left = slices.DeleteFunc(columnNames(p.columns), func(c string) bool { return hasColumn(syncdef.Columns(d), c) })
	out := []projectFile{{path: ".gitignore", text: ignored, what: "keeps this machine's state and secrets out of git", keep: true}}
	if connections != "" {
		out = append(out, projectFile{path: "syncs/" + yamlfile.ConnectionsFile, text: connections, what: "the accounts, without secrets", grows: true})
	}
	if p.example {
		text, err := p.exampleRows()
		if err != nil {
			return nil, err
		}
		out = append(out, projectFile{path: p.file, text: text, what: "three rows as an example; put yours in their place", keep: true})
	}
	return append(out,
		projectFile{path: "syncs/" + name + ".sql", text: p.model(), what: "its model: what is selected"},
		projectFile{path: "syncs/" + name + ".yaml", text: definition, what: "the sync: which column goes to which field"},
	), nil
}

// ignored is the project's .gitignore.
const ignored = `# What penstock keeps on this machine: state, logs, warehouse, secrets.
penstock-data/
.env
`

// definition is the sync's YAML.
func (p *project) definition(connection string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Rows of %s go to %s. penstock validate checks\n# this file, and says of each fault what is allowed.\nsync: %s\nconnection: %s # in connections.yaml\n\n", p.table, p.kind.Title, p.Name, connection)
	for _, line := range p.kind.Example.Target(p.Object, p.Key, p.columns) {
		b.WriteString(line + "\n")
	}
	b.WriteString("\n# source: a column of the model; destination: a field there\nfield_mappings:\n")
	for _, f := range p.kind.Example.Fields(p.Key, p.columns) {
		fmt.Fprintf(&b, "  - {source: %s, destination: %s, data_type: %s}\n", scalar(f.Source), scalar(f.Destination), f.Type)
	}
	return b.String()
}

var (
	plainName   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	yamlMeaning = []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
)

// scalar is a text as YAML writes it.
func scalar(text string) string {
	if plainName.MatchString(text) && !slices.Contains(yamlMeaning, strings.ToLower(text)) {
		return text
	}
	return fmt.Sprintf("%q", text)
}

// model is the SELECT, with every column by its name.
func (p *project) model() string {
	columns := make([]string, len(p.columns))
	for i, c := range p.columns {
		columns[i] = `"` + strings.ReplaceAll(c.Name, `"`, `""`) + `"`
		if plainName.MatchString(c.Name) && !slices.Contains(sqlMeaning, strings.ToUpper(c.Name)) {
			columns[i] = c.Name
		}
	}
	return fmt.Sprintf("-- Model of the sync %s: a row per %s.\n-- It reads the table %s of your warehouse; penstock push --from reads a file in\n-- its place.\nSELECT\n    %s\nFROM %s\n",
		p.Name, strings.Join(strings.Fields(p.Key), " "), p.table, strings.Join(columns, ",\n    "), p.table)
}

// sqlMeaning are words that a column's name may be and SQL reads otherwise.
var sqlMeaning = strings.Fields("ALL AND ANY AS ASC BOTH CASE CAST CHECK COLUMN CREATE DEFAULT DESC DISTINCT DO ELSE END EXCEPT FALSE FOR FROM GRANT GROUP HAVING IN INTO IS JOIN LIKE LIMIT NOT NULL OFFSET ON OR ORDER PRIMARY QUALIFY REFERENCES SELECT SOME TABLE THEN TO TRUE UNION UNIQUE USING VALUES VIEW WHEN WHERE WINDOW WITH")

// exampleRows is the example's CSV, with the names of its columns here.
func (p *project) exampleRows() (string, error) {
	rows := slices.Clone(p.kind.Example.Rows)
	rows[0] = nil
	for _, c := range p.columns {
		rows[0] = append(rows[0], c.Name)
	}
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		return "", fmt.Errorf("write the example: %w", err)
	}
	return b.String(), nil
}

// writeProject writes the files, the definition last, so that a sync never stands
// without its model. Nothing that is there is overwritten: where one would have to
// be, nothing is written at all.
func writeProject(s program, dir string, files []projectFile) error {
	var todo, done []projectFile
	for _, f := range files {
		old, err := os.ReadFile(filepath.Join(dir, f.path))
		switch {
		case errors.Is(err, fs.ErrNotExist), err == nil && f.grows:
			todo = append(todo, f)
		case err != nil:
			return fmt.Errorf("look for %s: %w", f.path, err)
		case string(old) == f.text || f.keep:
			done = append(done, f)
		default:
			return fmt.Errorf("%s exists already: nothing was written; give the new sync another name with --name", filepath.Join(dir, f.path))
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "syncs"), 0o755); err != nil {
		return fmt.Errorf("make the project's folder: %w", err)
	}
	for _, f := range todo {
		if err := f.write(dir); err != nil {
			return err
		}
	}
	if err := ownNames(filepath.Join(dir, "penstock-data")); err != nil {
		return err
	}
	for _, f := range todo {
		fmt.Fprintf(s.out, "  %-34s %s\n", f.path, f.what)
	}
	for _, f := range done {
		fmt.Fprintf(s.out, "  %-34s was there, and stays as it is\n", f.path)
	}
	return nil
}

// write makes the file, whole or not at all.
func (f projectFile) write(dir string) error {
	path := filepath.Join(dir, f.path)
	if !f.grows {
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return fmt.Errorf("write %s: %w", f.path, err)
		}
		if _, err = file.WriteString(f.text); err != nil {
			return fmt.Errorf("write %s: %w", f.path, errors.Join(err, file.Close(), os.Remove(path)))
		}
		if err := file.Close(); err != nil {
			return fmt.Errorf("write %s: %w", f.path, err)
		}
		return nil
	}
	err := os.WriteFile(path+".new", []byte(f.text), 0o644)
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", f.path, errors.Join(err, os.Remove(path+".new")))
	}
	return nil
}

// ownNames makes the data folder, whose simulated destinations take the objects,
// fields and channels of the project when they are first used.
func ownNames(data string) error {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	n, err := readNote(data)
	if err != nil || n.AcceptNames {
		return err
	}
	n.AcceptNames = true
	return n.write(data)
}
