//go:build cgo

package duckdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// SetModel makes a view of a sync's SELECT, in place of an earlier one, under the
// name that the sync's definition gives its model (syncdef.Definition.Relation). A
// text that is not one SELECT, or that does not run, leaves the earlier view; a
// table of that name is an error that says what to write. Before the SELECT files may be
// attached (Attachments), which holds for this Warehouse.
func (w *Warehouse) SetModel(ctx context.Context, relation, text string) error {
	text, err := w.selectOf(ctx, relation, text)
	if err != nil {
		return err
	}
	kind, err := w.kindOf(ctx, relation)
	if err != nil {
		return fmt.Errorf("model %s: look for it: %w", relation, err)
	}
	if kind == "BASE TABLE" {
		return fmt.Errorf("model %s: the warehouse has a table of that name, which a view would hide: write model: ANOTHER_NAME into the sync's definition, or take its .sql file away to read the table itself", relation)
	}
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("model %s: %w", relation, err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
	name := quoteRelation(relation)
	for _, s := range []string{"CREATE OR REPLACE VIEW " + name + " AS " + text, "DESCRIBE SELECT * FROM " + name} {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			if strings.Contains(err.Error(), "infinite recursion") {
				err = errors.New("its SELECT reads from itself: give the model another name with model: NAME in the sync's definition")
			}
			return fmt.Errorf("model %s: %w", relation, modelFault(err, w.files))
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("model %s: %w", relation, err)
	}
	return nil
}

// Subquery is a model's SELECT as it may stand in FROM, and be read without a view; the
// errors are SetModel's.
func (w *Warehouse) Subquery(ctx context.Context, relation, text string) (string, error) {
	text, err := w.selectOf(ctx, relation, text)
	if err != nil {
		return "", err
	}
	_, one := splitLast(text)
	sub := "(" + one + "\n)"
	if _, err := w.db.ExecContext(ctx, "DESCRIBE SELECT * FROM "+sub); err != nil {
		return "", fmt.Errorf("model %s: %w", relation, modelFault(err, w.files))
	}
	return sub, nil
}

// selectOf attaches the files that a model names before its SELECT, and answers that.
func (w *Warehouse) selectOf(ctx context.Context, relation, text string) (string, error) {
	attach, one, err := Attachments(text)
	for _, a := range attach {
		if err == nil {
			err = w.attach(ctx, a)
		}
	}
	if err == nil {
		err = w.oneSelect(ctx, one)
	}
	if err != nil {
		return "", fmt.Errorf("model %s: %w", relation, err)
	}
	return one, nil
}

// attach opens a file to be read, once; two files of one name would be one to models.
func (w *Warehouse) attach(ctx context.Context, a Attachment) error {
	path, err := found(a.File, w.files)
	if err != nil {
		return err
	}
	var have string
	err = w.db.QueryRowContext(ctx, "SELECT coalesce(max(path), '') FROM duckdb_databases() WHERE lower(database_name) = lower(?)", a.Name).Scan(&have)
	switch {
	case err != nil:
		return fmt.Errorf("attach %s: %w", a.File, err)
	case have == path:
		return nil
	case have != "":
		return fmt.Errorf("attach %s: another model attaches %s as %s: give one of them another name with AS", a.File, have, a.Name)
	}
	if _, err := w.db.ExecContext(ctx, "ATTACH "+quote(path)+" AS "+quoteRelation(a.Name)+" (READ_ONLY)"); err != nil {
		return fmt.Errorf("attach %s: %w", a.File, modelFault(err, w.files))
	}
	return nil
}

// oneSelect refuses all but one SELECT. The text is bound, so that it is only read.
func (w *Warehouse) oneSelect(ctx context.Context, text string) error {
	if strings.ContainsRune(text, 0) {
		return errors.New("the text holds a NUL")
	}
	var answer string
	if err := w.db.QueryRowContext(ctx, "SELECT CAST(json_serialize_sql(CAST(? AS VARCHAR)) AS VARCHAR)", text).Scan(&answer); err != nil {
		return fmt.Errorf("read the SELECT: %w", err)
	}
	var tree struct {
		Error      bool              `json:"error"`
		Message    string            `json:"error_message"`
		Statements []json.RawMessage `json:"statements"`
	}
	if err := json.Unmarshal([]byte(answer), &tree); err != nil {
		return fmt.Errorf("read the SELECT: %w", err)
	}
	switch {
	case tree.Error:
		return errors.New(tree.Message)
	case len(tree.Statements) != 1:
		return fmt.Errorf("a model is one SELECT, and there are %d statements", len(tree.Statements))
	}
	return nil
}

// kindOf says what a relation is: BASE TABLE, VIEW, or "" for nothing.
func (w *Warehouse) kindOf(ctx context.Context, relation string) (string, error) {
	parts := strings.Split(relation, ".")
	query := "SELECT coalesce(max(table_type), '') FROM information_schema.tables WHERE lower(table_name) = lower(?)"
	args := []any{parts[len(parts)-1]}
	for i, column := range []string{"table_schema", "table_catalog"} {
		if n := len(parts) - 2 - i; n >= 0 {
			query += " AND lower(" + column + ") = lower(?)"
			args = append(args, parts[n])
		} else {
			query += " AND " + column + " = " + []string{"current_schema()", "current_database()"}[i]
		}
	}
	var kind string
	err := w.db.QueryRowContext(ctx, query, args...).Scan(&kind)
	return kind, err
}

// quoteRelation quotes each part of a relation's name.
func quoteRelation(relation string) string {
	return `"` + strings.ReplaceAll(strings.ReplaceAll(relation, `"`, `""`), ".", `"."`) + `"`
}
