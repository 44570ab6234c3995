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

//go:embed models/*.yaml models/*.sql models/duckdb/*.sql models/snowflake/*.sql
var moreModels embed.FS

// moreTables is the file of the tables that the further models read.
const moreTables = "tables.sql"

// FurtherModels are the models and definitions of sql/models with their connections.yaml,
// in the root of the file system that it returns: NAME.sql, in DuckDB's SQL, beside
// NAME.yaml. They are no part of the sample that demo runs.
func FurtherModels() fs.FS {
	sub, err := fs.Sub(moreModels, "models")
	if err != nil {
		panic("sql: " + err.Error()) // the name is a constant
	}
	return sub
}

// SetupModels is the script that makes the tables and the views of the further models,
// for a warehouse that Setup has set up with the sample. Only DuckDB and Snowflake have
// them.
func SetupModels(dialect Dialect) (string, error) {
	if dialect != DuckDB && dialect != Snowflake {
		return "", fmt.Errorf("the further models are written for %s and %s, not for %s", DuckDB, Snowflake, dialect)
	}
	tables, err := moreModels.ReadFile(path.Join("models", string(dialect), moreTables))
	names, late := fs.Glob(moreModels, "models/*.yaml")
	if err := errors.Join(err, late); err != nil {
		return "", fmt.Errorf("set up the further models: %w", err)
	}
	slices.Sort(names)
	parts := []string{string(tables)}
	for _, file := range names {
		name := strings.TrimSuffix(path.Base(file), ".yaml")
		text, err := furtherModel(dialect, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // connections.yaml
		}
		if err != nil {
			return "", fmt.Errorf("set up the further models: %w", err)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "\n"), nil
}

// furtherModel makes the view of a model; the comment is DuckDB's, for both.
func furtherModel(dialect Dialect, name string) (string, error) {
	text, err := moreModels.ReadFile("models/" + name + ".sql")
	if err != nil {
		return "", err
	}
	comment, query := head(string(text))
	if dialect == Snowflake {
		if text, err = moreModels.ReadFile("models/snowflake/" + name + ".sql"); err != nil {
			return "", err
		}
		query = string(text)
	}
	return comment + "CREATE OR REPLACE VIEW " + name + " AS\n" + strings.TrimRight(query, "\n;") + ";\n", nil
}

// head cuts the comment off that a statement begins with.
func head(text string) (comment, rest string) {
	for strings.HasPrefix(text, "--") {
		line, after, _ := strings.Cut(text, "\n")
		comment, text = comment+line+"\n", after
	}
	return comment, text
}
