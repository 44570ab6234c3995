// Package sql holds the statements that set a warehouse up for Penstock: the
// sample's tables and models, the penstock functions where the warehouse needs
// them declared, one-statement runs, and monitoring. It fills in the names of an
// account and runs nothing.
package sql

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed duckdb/*.sql snowflake/*.sql redshift/*.sql bigquery/*.sql teardown/*.sql
var files embed.FS

// A File is a part of a script, numbered by its name.
type File struct{ Name, Text string }

// Setup is the script that sets up a warehouse of the dialect, in order.
func Setup(dialect Dialect, params Params) (string, error) {
	files, err := Files(dialect, params)
	if err != nil {
		return "", err
	}
	var parts []string
	for _, f := range files {
		parts = append(parts, f.Text)
	}
	text := strings.Join(parts, "\n")
	if dialect != DuckDB {
		text = squeeze(text)
	}
	params.dialect = dialect
	return headed(params.fill(), text), nil
}

// Files are the script's parts, without the list of what is to be replaced first.
func Files(dialect Dialect, params Params) ([]File, error) {
	d, known := speeches[dialect]
	if !known {
		var names []string
		for _, d := range Dialects {
			names = append(names, string(d))
		}
		return nil, fmt.Errorf("set up %q: this dialect is not known; known are %s", dialect, strings.Join(names, ", "))
	}
	params.dialect = dialect
	if err := params.check(); err != nil {
		return nil, fmt.Errorf("set up %q: %w", dialect, err)
	}
	params.fill()
	all, err := d.files(params)
	if err != nil {
		return nil, fmt.Errorf("set up %q: %w", dialect, err)
	}
	all = params.qualify(all)
	if err := params.clashes(all); err != nil {
		return nil, fmt.Errorf("set up %q: %w", dialect, err)
	}
	if views, err := params.views(); err != nil {
		return nil, fmt.Errorf("set up %q: %w", dialect, err)
	} else if views != "" {
		all = append(all, File{syncsFile, views})
	}
	return all, nil
}

// squeeze takes away what an empty list of grants leaves: more than one blank line.
func squeeze(text string) string {
	for strings.Contains(text, "\n\n\n") {
		text = strings.ReplaceAll(text, "\n\n\n", "\n\n")
	}
	return strings.TrimRight(text, "\n") + "\n"
}

// RunTables is the part of the duckdb script that penstock_run needs, which makes it
// by itself where it is missing.
func RunTables() string {
	text, err := files.ReadFile("duckdb/04_run.sql")
	if err != nil {
		return "" // cannot be: it is embedded
	}
	return string(text)
}

// Parts of the scripts, by the ends of their files' names, that not everybody wants.
const (
	sampleTables = "_tables.sql"
	sampleModels = "_models.sql"
	sampleRows   = "_rows.sql"
	sampleTasks  = "_tasks.sql"
	streams      = "_streams.sql"
)

// wanted reports whether a file is part of the script.
func (p *Params) wanted(file string) bool {
	switch {
	case strings.HasSuffix(file, streams):
		return p.Streams && !p.NoSample
	case strings.HasSuffix(file, sampleRows):
		return !p.NoRows && !p.NoSample
	case strings.HasSuffix(file, sampleTables), strings.HasSuffix(file, sampleModels), strings.HasSuffix(file, sampleTasks):
		return !p.NoSample
	}
	return true
}

// files are the dialect's files and those of all, filled in, in the order of their
// names.
func (d speech) files(params Params) ([]File, error) {
	own, err := fs.Glob(files, string(d.name)+"/*.sql")
	shared, late := fs.Glob(monitoring, monitoringFolder+"/*.sql")
	if err := errors.Join(err, late); err != nil {
		return nil, err
	}
	all := slices.Concat(own, shared)
	slices.SortFunc(all, func(a, b string) int { return strings.Compare(path.Base(a), path.Base(b)) })
	var out []File
	for _, file := range all {
		name, from := path.Base(file), files
		if path.Dir(file) == monitoringFolder {
			from = monitoring
		} else if !params.wanted(file) {
			continue
		}
		text, err := from.ReadFile(file)
		if err != nil {
			return nil, err
		}
		part, err := d.render(name, string(text), params)
		if err != nil {
			return nil, err
		}
		if strings.HasSuffix(file, sampleModels) {
			views, err := models()
			if err != nil {
				return nil, err
			}
			part += "\n" + views
		}
		out = append(out, File{name, part})
	}
	return out, nil
}

// syncsFile has the views of the definitions.
const syncsFile = "10_syncs.sql"

// views makes the models that stand beside definitions, and the views of every
// definition; "" where there are none. Redshift replaces no view by one of other columns,
// and drops none that another needs; elsewhere only what no definition asks for is dropped.
func (p *Params) views() (string, error) {
	all, err := p.syncViews()
	if err != nil || len(all) == 0 {
		return "", err
	}
	var b strings.Builder
	b.WriteString("-- 10. What the definitions say in SQL: the models that stand beside them, and views\n" +
		"-- of their own. Make them again when a definition has changed:\n-- penstock sql-setup " + string(p.dialect) + " --syncs DIR.\n")
	for _, v := range slices.Backward(all) {
		if p.dialect == Redshift || v.Query == "" {
			b.WriteString(v.drop() + "\n")
		}
	}
	for _, v := range all {
		if v.Query == "" {
			continue
		}
		b.WriteString("\n" + v.Create(p.dialect))
		if grant := p.mayRead(v.Name); grant != "" {
			b.WriteString(grant + "\n")
		}
	}
	return b.String(), nil
}

// syncViews are the views of the script's definitions, each behind those that it reads:
// those that are made, and without a query those that an earlier definition may have had.
func (p *Params) syncViews() ([]View, error) {
	var all []View
	put := func(v View) {
		switch i := slices.IndexFunc(all, func(o View) bool { return o.Name == v.Name }); {
		case i < 0:
			all = append(all, v)
		case v.Query != "": // several syncs may read one model: the last one's history is shown
			all[i] = v
		}
	}
	for _, y := range p.Syncs {
		for _, o := range p.Syncs { // the model may stand beside another of its syncs
			if o.Model != "" && o.Definition.Relation() == y.Definition.Relation() {
				put(View{relation(*p, o.Definition.Relation()), modelQuery(o.Model)})
			}
		}
		views, err := Views(p.dialect, *p, y.Definition)
		if err != nil {
			return nil, err
		}
		for _, name := range possible(p.dialect, y.Definition) {
			put(View{Name: p.own(name)})
		}
		for _, v := range views {
			put(View{p.own(v.Name), v.Query})
		}
	}
	return all, nil
}

// clashes refuses a model that would take the place of a table or view of the script. The
// sample's models are views there and those of its definitions too.
func (p *Params) clashes(all []File) error {
	all = slices.DeleteFunc(slices.Clone(all), func(f File) bool { return strings.HasSuffix(f.Name, sampleModels) })
	for _, y := range p.Syncs {
		name := relation(*p, y.Definition.Relation())
		for _, o := range objects(all) {
			if y.Model != "" && (o.kind == "TABLE" || o.kind == "VIEW") && strings.EqualFold(o.name, name) {
				return fmt.Errorf("the model of %s: the script makes a %s called %s itself; give the model another name with model: NAME", y.Definition.Sync, strings.ToLower(o.kind), o.name)
			}
		}
	}
	return nil
}

// mayRead lets who pushes read a view.
func (p *Params) mayRead(view string) string {
	switch p.dialect {
	case Snowflake:
		return p.Pusher("SELECT ON VIEW " + view)
	case Redshift:
		return p.Pusher("SELECT ON TABLE " + view)
	case BigQuery:
		return p.Pusher("`roles/bigquery.dataViewer` ON VIEW " + view)
	}
	return ""
}

// models makes a view of every NAME.sql of the sample's syncs, under the sync's
// name: what its definition takes for the model where it names no other.
func models() (string, error) {
	names, err := fs.Glob(syncs, "syncs/*.sql")
	if err != nil {
		return "", err
	}
	slices.Sort(names)
	var parts []string
	for _, name := range names {
		text, err := syncs.ReadFile(name)
		if err != nil {
			return "", err
		}
		comment, query := head(string(text))
		sync := strings.TrimSuffix(path.Base(name), ".sql")
		parts = append(parts, comment+"CREATE OR REPLACE VIEW "+sync+" AS\n"+strings.TrimRight(query, "\n;")+";\n")
	}
	return strings.Join(parts, "\n"), nil
}
