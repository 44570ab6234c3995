//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	duck "github.com/duckdb/duckdb-go/v2"
)

// A Warehouse is an open DuckDB database with the penstock functions. It is safe
// for concurrent use.
type Warehouse struct {
	db         *sql.DB
	client     *client
	refreshing sync.Mutex // held by penstock_refresh
	files      string     // Config.Files
}

// Open opens or makes the database. Times are UTC in every session.
func Open(ctx context.Context, cfg Config) (*Warehouse, error) {
	var registered atomic.Bool // the macros call the functions, which the first connection registers
	connector, err := duck.NewConnector("", func(conn driver.ExecerContext) error {
		if !registered.Load() {
			return nil
		}
		return prepareSession(ctx, conn)
	})
	if err != nil {
		return nil, fmt.Errorf("open warehouse %q: %w", cfg.Path, err)
	}
	w := &Warehouse{db: sql.OpenDB(connector), client: newClient(cfg), files: cfg.Files}
	if err := w.setUp(ctx, cfg); err != nil {
		return nil, errors.Join(fmt.Errorf("open warehouse %q: %w", cfg.Path, err), w.db.Close())
	}
	registered.Store(true)
	return w, nil
}

// setUp configures the database and registers the functions in its system
// catalogue, where every connection finds them.
func (w *Warehouse) setUp(ctx context.Context, cfg Config) error {
	conn, err := w.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	path := cfg.Path
	if path == "" {
		path = ":memory:"
	}
	// DuckDB scans a table in parallel by row groups. Its default of 122,880 rows
	// would leave most models to one thread, that waits for the gateway meanwhile.
	how := "ROW_GROUP_SIZE 8192"
	if cfg.ReadOnly && cfg.Path != "" {
		how = "READ_ONLY"
	}
	if _, err := conn.ExecContext(ctx, "ATTACH "+quote(path)+" AS "+catalog+" ("+how+")"); err != nil {
		return err
	}
	if cfg.Path != "" { // else what does not fit the memory would go to the working directory
		if _, err := conn.ExecContext(ctx, "SET temp_directory = "+quote(cfg.Path+".tmp")); err != nil {
			return err
		}
	}
	if cfg.Files != "" && !strings.Contains(cfg.Files, ",") { // which parts the folders
		if _, err := conn.ExecContext(ctx, "SET GLOBAL file_search_path = "+quote(".,"+cfg.Files)); err != nil {
			return err
		}
	}
	if cfg.Threads > 0 {
		if _, err := conn.ExecContext(ctx, "SET threads = "+strconv.Itoa(cfg.Threads)); err != nil {
			return err
		}
	}
	if cfg.MemoryLimit != "" {
		if _, err := conn.ExecContext(ctx, "SET memory_limit = "+quote(cfg.MemoryLimit)); err != nil {
			return err
		}
	}
	// Keeping an order that nobody asked for leaves one thread to push and lets the
	// other one spin; ORDER BY still holds.
	if _, err := conn.ExecContext(ctx, "SET preserve_insertion_order = false"); err != nil {
		return err
	}
	for i := range functions {
		u, err := newUDF(&functions[i], w.client)
		if err != nil {
			return err
		}
		if err := duck.RegisterScalarUDF(conn, functions[i].inner(), u); err != nil {
			return fmt.Errorf("register %s: %w", functions[i].name, err)
		}
	}
	for i := range procedures {
		if err := procedures[i].register(conn, w); err != nil {
			return err
		}
	}
	return conn.Raw(func(c any) error { return prepareSession(ctx, c.(driver.ExecerContext)) })
}

// prepareSession gives one connection the macros and the time zone.
func prepareSession(ctx context.Context, conn driver.ExecerContext) error {
	statements := []string{"SET TimeZone = 'UTC'", "USE " + catalog}
	for _, f := range functions {
		statements = append(statements, f.macro())
	}
	for i := range procedures {
		statements = append(statements, procedures[i].macro())
	}
	for _, s := range statements {
		if _, err := conn.ExecContext(ctx, s, nil); err != nil {
			return fmt.Errorf("prepare session: %s: %w", s, err)
		}
	}
	return nil
}

func quote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// DB is the database. A statement run through it directly has one query id per
// penstock function in it; Query and Exec give it one in all.
func (w *Warehouse) DB() *sql.DB { return w.db }

// Query runs one statement under a fresh query id.
func (w *Warehouse) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return w.db.QueryContext(begin(ctx), query, args...)
}

// Exec runs one statement, or several as one, under a fresh query id.
func (w *Warehouse) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return w.db.ExecContext(begin(ctx), query, args...)
}

// Close closes the database and the idle connections to the gateway.
func (w *Warehouse) Close() error {
	w.client.http.CloseIdleConnections()
	return w.db.Close()
}
