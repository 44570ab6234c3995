// Package duckdb is the embedded warehouse: DuckDB in this process, with the
// penstock functions registered as SQL functions. A call of one goes over HTTP to
// a gateway in Snowflake's external function protocol, gzip, batch ids, retries
// and all, so that what works here works from Snowflake. It knows no sync and no
// destination, and it never takes a way around HTTP.
//
// DuckDB needs cgo. Without it the package compiles, and Open says what is missing.
package duckdb

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// Config says where the data lies and where the functions call. The zero value
// is an empty database in memory whose penstock functions have no gateway.
type Config struct {
	// Path is the database file, made when it is absent; "" keeps all in memory.
	Path string
	// ReadOnly opens the file without a write: nothing is made in it, and one that is
	// absent is not made. The penstock functions work; penstock_run does not.
	ReadOnly bool
	// Files is the folder in which a model's relative paths are looked for after the
	// working directory; "" is none.
	Files string
	// Gateway is the base URL: http://127.0.0.1:8080 makes penstock_push call
	// POST http://127.0.0.1:8080/push.
	Gateway string
	// Token is what a gateway that was started with --token lets in; "" sends none.
	Token string
	// Role is told with every call as Snowflake tells CURRENT_ROLE; "" tells none, which
	// on one machine is the person whose it is.
	Role string
	// HTTP makes the calls; nil stands for a client of its own without an overall
	// timeout, since the statement's context bounds a call.
	HTTP *http.Client
	// Threads bounds DuckDB's threads, and with them the calls in flight; 0 leaves
	// DuckDB's default, one per core.
	Threads int
	// MemoryLimit bounds DuckDB's own memory, as "512MB"; "" leaves DuckDB's
	// default, 80 percent of the machine.
	MemoryLimit string
	// RetryFor bounds the time from the first attempt of a request to the last,
	// waits included; 0 stands for 2 minutes.
	RetryFor time.Duration
	// Sleep waits between attempts, or returns the context's error; nil stands for
	// a timer. Now is the clock; nil stands for time.Now.
	Sleep func(context.Context, time.Duration) error
	Now   func() time.Time
	// Answered is told of every batch that was answered, from DuckDB's threads, several
	// at once; nil tells nobody.
	Answered func(Batch)
	// Repeats is told of the failure of a request that has been tried for 5 s and is tried
	// on, once for each and from several threads; nil tells nobody.
	Repeats func(error)
}

// A function is one penstock function as SQL and the protocol see it.
type function struct {
	name      string // penstock_push
	path      string // below the gateway: /push
	signature string // as Snowflake writes it into sf-external-function-signature
	params    []param
	most      int // rows a request, where an answer may be large; 0 is snowflake.BatchRows
}

// A param is one parameter of a function.
type param struct {
	name     string
	cast     string // SQL type that an argument is cast to; "" takes a value of any type
	optional bool   // may be left out, and is then null
}

// functions are the penstock functions. Every argument reaches Go as JSON text,
// made by to_json in the macro of the same name, so that numbers keep all digits, but for
// those within a JSON column of a row: Exact writes these.
var functions = []function{
	{"penstock_push", "/push", "(SYNC VARCHAR, ROW_OBJECT VARIANT)", []param{{name: "sync", cast: "VARCHAR"}, {name: "row_object"}}, 0},
	{"penstock_plan", "/plan", "(SYNC VARCHAR, ROW_OBJECT VARIANT)", []param{{name: "sync", cast: "VARCHAR"}, {name: "row_object"}}, 0},
	{"penstock_begin", "/begin", "(SYNC VARCHAR, MODE VARCHAR)", []param{{name: "sync", cast: "VARCHAR"}, {name: "mode", cast: "VARCHAR", optional: true}}, 0},
	{"penstock_gate", "/gate", "(RUN VARCHAR, VERDICT VARIANT)", []param{{name: "run", cast: "VARCHAR"}, {name: "verdict"}}, 0},
	{"penstock_finish", "/finish", "(RUN VARCHAR, ROW_COUNT NUMBER)", []param{{name: "run", cast: "VARCHAR"}, {name: "row_count", cast: "BIGINT"}}, 0},
	{"penstock_cancel", "/cancel", "(RUN VARCHAR, REASON VARCHAR)", []param{{name: "run", cast: "VARCHAR"}, {name: "reason", cast: "VARCHAR", optional: true}}, 0},
	{"penstock_retry", "/retry", "(RUN VARCHAR, SELECTOR VARIANT)", []param{{name: "run", cast: "VARCHAR"}, {name: "selector", optional: true}}, 0},
	{"penstock_reset", "/reset", "(SYNC VARCHAR)", []param{{name: "sync", cast: "VARCHAR"}}, 0},
	{"penstock_status", "/status", "(SYNC VARCHAR, SINCE VARCHAR, AFTER VARCHAR)", []param{{name: "sync", cast: "VARCHAR"}, {name: "since", cast: "VARCHAR", optional: true}, {name: "after", cast: "VARCHAR", optional: true}}, 10},
	{"penstock_errors", "/errors", "(RUN VARCHAR, AFTER VARCHAR, SINCE VARCHAR)", []param{{name: "run", cast: "VARCHAR"}, {name: "after", cast: "VARCHAR", optional: true}, {name: "since", cast: "VARCHAR", optional: true}}, 1},
	{"penstock_freshness", "/freshness", "(SYNC VARCHAR)", []param{{name: "sync", cast: "VARCHAR"}}, 10},
	{"penstock_syncs", "/syncs", "()", nil, 0},
}

// json is the SQL that turns an argument into JSON text. What is JSON already is
// taken as it is written: to_json would parse it, and round its long numbers.
func (p param) json() string {
	if p.cast != "" {
		return "CAST(to_json(CAST(" + p.name + " AS " + p.cast + ")) AS VARCHAR)"
	}
	return "CASE WHEN typeof(" + p.name + ") = 'JSON' THEN CAST(" + p.name + " AS VARCHAR) ELSE CAST(to_json(" + p.name + ") AS VARCHAR) END"
}

// inner is the name of the Go function below the macro. It must not be called
// with a NULL literal, which stops the driver; the macro sees to that.
func (f function) inner() string { return "__" + f.name }

// macro is the statement that makes the function of SQL, one form for each number
// of arguments.
func (f function) macro() string {
	forms := []string{f.form(len(f.params))}
	for n := len(f.params) - 1; n >= 0 && f.params[n].optional; n-- {
		forms = append(forms, f.form(n))
	}
	return "CREATE OR REPLACE TEMP MACRO " + f.name + strings.Join(forms, ", ")
}

// form is the function with its first n parameters; the others are null.
func (f function) form(n int) string {
	var names, args []string
	for i, p := range f.params {
		if i < n {
			names = append(names, p.name)
			args = append(args, "COALESCE("+p.json()+", 'null')")
		} else {
			args = append(args, "'null'")
		}
	}
	return "(" + strings.Join(names, ", ") + ") AS " + f.inner() + "(" + strings.Join(args, ", ") + ")"
}
