package pipeline

import (
	"fmt"
	"sync"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/mapping"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A program is one version, compiled.
type program struct {
	version syncdef.Version
	mapping *mapping.Program
	mappers sync.Pool
	target  string
}

// programs compiles each version once and keeps it for the life of the process:
// versions are immutable and few.
type programs struct {
	mu   sync.Mutex
	byID map[string]*program
}

func (ps *programs) of(v syncdef.Version) (*program, error) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	id := v.Definition.Sync + "/" + v.ID
	if p, ok := ps.byID[id]; ok {
		return p, nil
	}
	def := v.Definition
	m, err := mapping.Compile(&def)
	if err != nil {
		return nil, fmt.Errorf("compile sync %q version %s: %w", def.Sync, v.ID, err)
	}
	p := &program{version: v, mapping: m, target: ledger.Target(def.Sync, def.Connection, def.Object)}
	p.mappers.New = func() any { return m.Mapper() }
	if ps.byID == nil {
		ps.byID = map[string]*program{}
	}
	ps.byID[id] = p
	return p, nil
}

// known returns a compiled program without reading its version again.
func (ps *programs) known(sync, id string) (*program, bool) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	p, ok := ps.byID[sync+"/"+id]
	return p, ok
}
