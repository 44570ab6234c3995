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

//go:embed duckdb/*.sql snowflake/*.sql
var files embed.FS

// Dialects are the warehouses that Setup knows.
var Dialects = []string{"duckdb", "snowflake"}

// Setup is the script that sets up a warehouse of the dialect, in order. The
// parameters are Snowflake's; duckdb heeds NoSample and NoRows alone.
func Setup(dialect string, params SnowflakeParams) (string, error) {
	switch dialect {
	case "duckdb":
		return join(dialect, params, func(name, text string) (string, error) { return duckDialect.render(name, text, nil) })
	case "snowflake":
		if err := params.check(); err != nil {
			return "", fmt.Errorf("set up %q: %w", dialect, err)
		}
		missing := params.fill()
		body, err := join(dialect, params, func(name, text string) (string, error) {
			text, err := snowDialect.render(name, text, params)
			return squeeze(text), err
		})
		return header(missing) + body, err
	}
	return "", fmt.Errorf("set up %q: this dialect is not known; known are %s", dialect, strings.Join(Dialects, " and "))
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
func (p *SnowflakeParams) wanted(file string) bool {
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

// join runs the dialect's files and those of both through fill, in the order of their
// names.
func join(dialect string, params SnowflakeParams, fill func(name, text string) (string, error)) (string, error) {
	own, err := fs.Glob(files, dialect+"/*.sql")
	shared, late := fs.Glob(monitoring, monitoringFolder+"/*.sql")
	if err := errors.Join(err, late); err != nil {
		return "", fmt.Errorf("set up %q: %w", dialect, err)
	}
	all := append(own, shared...)
	slices.SortFunc(all, func(a, b string) int { return strings.Compare(path.Base(a), path.Base(b)) })
	var parts []string
	for _, file := range all {
		if path.Dir(file) != monitoringFolder && !params.wanted(file) {
			continue
		}
		from := files
		if path.Dir(file) == monitoringFolder {
			from = monitoring
		}
		text, err := from.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("set up %q: %w", dialect, err)
		}
		part, err := fill(path.Base(file), string(text))
		if err != nil {
			return "", fmt.Errorf("set up %q: %w", dialect, err)
		}
		parts = append(parts, part)
		if strings.HasSuffix(file, sampleModels) {
			views, err := models()
			if err != nil {
				return "", fmt.Errorf("set up %q: %w", dialect, err)
			}
			parts = append(parts, views)
		}
	}
	return strings.Join(parts, "\n"), nil
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
		comment, query := "", string(text)
		for strings.HasPrefix(query, "--") {
			line, rest, _ := strings.Cut(query, "\n")
			comment, query = comment+line+"\n", rest
		}
		sync := strings.TrimSuffix(path.Base(name), ".sql")
		parts = append(parts, comment+"CREATE OR REPLACE VIEW "+sync+" AS\n"+strings.TrimRight(query, "\n;")+";\n")
	}
	return strings.Join(parts, "\n"), nil
}
