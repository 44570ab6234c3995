package sql

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// TeardownFile is the name of the file that takes away what the others made.
const TeardownFile = "teardown.sql"

// An object is what a script makes.
type object struct {
	kind      string // TABLE, VIEW, FUNCTION, PROCEDURE, STREAM, TASK
	name      string // as the script writes it
	arguments string // of a function or procedure on Snowflake: its types
	landing   bool   // a table of rows that are not ours
}

// made is the making of an object, down to its arguments.
var made = regexp.MustCompile("(?m)^CREATE (?:OR REPLACE )?(?:EXTERNAL )?(TABLE|VIEW|FUNCTION|PROCEDURE|STREAM|TASK)(?: IF NOT EXISTS)? (`[^`]+`|[\\w.]+)(?:\\(([^$\n]*)\\))?")

// objects are what the files make, each once, in order.
func objects(all []File) []object {
	var out []object
	seen := map[object]bool{}
	for _, f := range all {
		for _, m := range made.FindAllStringSubmatch(f.Text, -1) {
			o := object{kind: m[1], name: m[2], landing: strings.HasSuffix(f.Name, sampleTables) && !strings.Contains(f.Name, "monitoring")}
			if o.kind == "FUNCTION" || o.kind == "PROCEDURE" {
				o.arguments = typesOf(m[3])
			}
			if !seen[o] {
				seen[o] = true
				out = append(out, o)
			}
		}
	}
	return out
}

// typesOf are the types of "name TYPE DEFAULT x, …".
func typesOf(arguments string) string {
	var types []string
	for a := range strings.SplitSeq(arguments, ",") {
		if words := strings.Fields(a); len(words) > 1 {
			types = append(types, words[1])
		}
	}
	return strings.Join(types, ", ")
}

// Teardown is the script that takes away what Setup with the same parameters makes, the
// last first. It can be run again. The landing tables, roles and schemas stay, because
// other rows and other people's objects may be in them.
func Teardown(dialect Dialect, params Params) (string, error) {
	all, err := Files(dialect, params)
	if err != nil {
		return "", err
	}
	params.dialect = dialect
	missing := params.fill()
	text, err := files.ReadFile("teardown/" + string(dialect) + ".sql")
	if err != nil {
		return "", fmt.Errorf("tear down %q: %w", dialect, err)
	}
	views, err := params.syncViews()
	if err != nil {
		return "", fmt.Errorf("tear down %q: %w", dialect, err)
	}
	body, err := speeches[dialect].render(TeardownFile, string(text), struct {
		Params
		Drops, Stays string
	}{params, drops(dialect, params, views, objects(all)), stays(objects(all))})
	if err != nil {
		return "", fmt.Errorf("tear down %q: %w", dialect, err)
	}
	return headed(missing, squeeze(body)), nil
}

// Parts are the script of Setup, each part as a file that can be run by itself after
// those before it, and the teardown. Each begins with the line that says what it is of.
func Parts(dialect Dialect, params Params) ([]File, error) {
	given := params
	all, err := Files(dialect, params)
	if err != nil {
		return nil, err
	}
	params.dialect = dialect
	missing := params.fill()
	for i, f := range all {
		session := ""
		if dialect == Snowflake && i > 0 {
			session = fmt.Sprintf("USE ROLE %s;\nUSE WAREHOUSE %s;\nUSE SCHEMA %s.%s;\n\n", params.Role, params.Warehouse, params.Database, params.Schema)
		}
		all[i].Text = params.of() + headed(missing, session+squeeze(f.Text))
	}
	teardown, err := Teardown(dialect, given)
	return append(all, File{TeardownFile, params.of() + teardown}), err
}

// of is the first line of each file: the dialect, and where its objects are.
func (p *Params) of() string {
	line := "-- Of penstock sql-setup " + string(p.dialect)
	switch p.dialect {
	case Snowflake:
		line += ", schema " + p.Database + "." + p.Schema
	case Redshift:
		line += ", schema " + p.Schema
	case BigQuery:
		line += ", dataset " + p.Project + "." + p.Dataset
	}
	return line + "\n"
}

// drops are the statements that take views and objects away, the last made first.
func drops(dialect Dialect, params Params, views []View, all []object) string {
	var lines []string
	for _, v := range slices.Backward(views) {
		lines = append(lines, v.drop())
	}
	for _, o := range slices.Backward(all) {
		routine := o.kind == "FUNCTION" || o.kind == "PROCEDURE"
		switch {
		case o.landing:
			continue
		case dialect == Redshift && routine: // it has no DROP FUNCTION IF EXISTS
			_, name, _ := strings.Cut(o.name, ".")
			lines = append(lines, fmt.Sprintf("CALL %s.%s('%s', '%s');", params.Schema, dropRoutine, o.kind, strings.ToLower(name)))
		case dialect == Snowflake && routine:
			lines = append(lines, fmt.Sprintf("DROP %s IF EXISTS %s(%s);", o.kind, o.name, o.arguments))
		default:
			lines = append(lines, fmt.Sprintf("DROP %s IF EXISTS %s;", o.kind, o.name))
		}
	}
	var once []string
	for _, l := range lines {
		if !slices.Contains(once, l) { // the overloads of a function, and the views, which are objects too
			once = append(once, l)
		}
	}
	return strings.Join(once, "\n")
}

// dropRoutine is the procedure on Redshift that drops the functions of a name, which the
// teardown makes for itself.
const dropRoutine = "penstock_drop"

// stays are the landing tables, as a comment.
func stays(all []object) string {
	var lines []string
	for _, o := range slices.Backward(all) {
		if o.landing {
			lines = append(lines, "-- DROP TABLE IF EXISTS "+o.name+";")
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return "-- The landing tables stay, because they hold your rows. To be rid of them too:\n" + strings.Join(lines, "\n")
}
