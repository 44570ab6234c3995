// Package version holds syncs' versions made ready to map rows, which intake and
// deliver share: each is compiled once for the life of a process.
package version

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/mapping"
	"github.com/penstock-data/penstock/shared/quality"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Compiled is one version, ready to map. It does not change and may be shared
// between goroutines.
type Compiled struct {
	Version syncdef.Version
	Mapping *mapping.Program
	Gate    *quality.Gate // nil where the definition has no quality

	mappers sync.Pool
}

// Get takes a mapper out of the pool, for one goroutine; Put gives it back, once
// nothing that it mapped is in use.
func (c *Compiled) Get() *mapping.Mapper { return c.mappers.Get().(*mapping.Mapper) }

// Put gives back what Get took.
func (c *Compiled) Put(m *mapping.Mapper) { c.mappers.Put(m) }

// Target is the version's ledger at an account's epoch.
func (c *Compiled) Target(epoch int64) string {
	return ledger.Target(&c.Version.Definition, &c.Version.Rules, epoch)
}

// ErrUnusable says, wrapped by Cache.Of, that this program cannot carry a version out.
var ErrUnusable = errors.New("the version cannot be carried out")

// A Cache compiles each version once: versions are immutable and few. The zero
// value is ready, and safe for concurrent use.
type Cache struct {
	mu   sync.Mutex
	byID map[string]*Compiled
}

// Of is a version, compiled. The error says what this program cannot carry out;
// it is the version's own (I9).
func (c *Cache) Of(v syncdef.Version) (*Compiled, error) {
	if known, ok := c.Known(v.Definition.Sync, v.ID); ok {
		return known, nil
	}
	def := v.Definition
	m, err := mapping.Compile(&def, v.Rules)
	if err != nil {
		return nil, fmt.Errorf("compile sync %q version %s: %w: %w", def.Sync, v.ID, ErrUnusable, err)
	}
	g, err := quality.Compile(&def)
	if err != nil {
		return nil, fmt.Errorf("compile sync %q version %s: %w: %w", def.Sync, v.ID, ErrUnusable, err)
	}
	out := &Compiled{Version: v, Mapping: m, Gate: g}
	out.mappers.New = func() any { return m.Mapper() }
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID == nil {
		c.byID = map[string]*Compiled{}
	}
	c.byID[def.Sync+"/"+v.ID] = out
	return out, nil
}

// Known is a version that was compiled before.
func (c *Cache) Known(sync, id string) (*Compiled, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out, ok := c.byID[sync+"/"+id]
	return out, ok
}

// A Reader reads stored versions; run.ErrNotFound, wrapped, when there is none.
type Reader interface {
	Version(ctx context.Context, sync, id string) (syncdef.Version, error)
}

// Load is the version of that id, read only when it is not known yet.
func (c *Cache) Load(ctx context.Context, from Reader, sync, id string) (*Compiled, error) {
	if known, ok := c.Known(sync, id); ok {
		return known, nil
	}
	v, err := from.Version(ctx, sync, id)
	if err != nil {
		return nil, fmt.Errorf("read sync %q version %s: %w", sync, id, err)
	}
	return c.Of(v)
}
