package records

import (
	"fmt"
	"hash/crc32"
	"strings"
)

// A Spec describes a table.
type Spec struct {
	Name    string
	Columns []Column
}

// A Log is where changes are kept: a *sandbox.Core.
type Log interface {
	Durable() bool
	Replay(apply func(entry []byte) error) error
	Commit(entry []byte) error
}

// A Store is the records of one simulator.
type Store struct {
	log         Log
	tables      []*Table
	byFold      map[string]*Table
	fingerprint uint32
	writer      Writer
}

// Open makes the tables and replays the log. A log that was written with other
// tables or columns is refused; ones that were added later do not count.
func Open(log Log, specs ...Spec) (*Store, error) {
	s := &Store{log: log, byFold: map[string]*Table{}, fingerprint: fingerprint(specs)}
	s.writer.store = s
	for _, spec := range specs {
		if err := s.fits(spec); err != nil {
			return nil, err
		}
		s.addTable(spec)
	}
	if err := log.Replay(s.replay); err != nil {
		return nil, err
	}
	return s, nil
}

// fits reports what makes a new table unusable.
func (s *Store) fits(spec Spec) error {
	if spec.Name == "" || s.Table(spec.Name) != nil {
		return fmt.Errorf("record store: table %q: needs a name of its own", spec.Name)
	}
	seen := map[string]bool{}
	for _, c := range spec.Columns {
		if seen[c.Name] || c.Name == "" {
			return fmt.Errorf("record store: table %s: column %q: needs a name of its own", spec.Name, c.Name)
		}
		seen[c.Name] = true
	}
	return nil
}

func (s *Store) addTable(spec Spec) *Table {
	t := newTable(spec, len(s.tables))
	s.tables = append(s.tables, t)
	s.byFold[strings.ToLower(spec.Name)] = t
	return t
}

// Table finds a table by its name, in any case; nil when there is none.
func (s *Store) Table(name string) *Table { return s.byFold[strings.ToLower(name)] }

// Tables lists the tables in the order of their making. It must not be changed.
func (s *Store) Tables() []*Table { return s.tables }

// AddTable makes a table while the store is in use, and keeps it.
func (s *Store) AddTable(spec Spec) (*Table, error) {
	if err := s.fits(spec); err != nil {
		return nil, err
	}
	t := s.addTable(spec)
	return t, s.keep(func(b []byte) []byte {
		b = appendText(append(b, entryTable), []byte(spec.Name))
		for _, c := range spec.Columns {
			b = appendColumn(b, t, c)
		}
		return b
	})
}

// AddColumn makes a column while the store is in use, null in every row, and keeps
// it.
func (s *Store) AddColumn(t *Table, c Column) (int, error) {
	if _, there := t.byName[c.Name]; there || c.Name == "" {
		return 0, fmt.Errorf("record store: table %s: column %q: needs a name of its own", t.name, c.Name)
	}
	i := t.addColumn(c)
	return i, s.keep(func(b []byte) []byte { return appendColumn(b, t, c) })
}

// keep writes an entry of its own.
func (s *Store) keep(add func([]byte) []byte) error {
	if !s.log.Durable() {
		return nil
	}
	return s.log.Commit(add(s.beginEntry(nil)))
}

// fingerprint tells schemas apart, so that a log is not replayed into another one.
func fingerprint(specs []Spec) uint32 {
	h := crc32.NewIEEE()
	for _, s := range specs {
		fmt.Fprintf(h, "%q\n", s.Name)
		for _, c := range s.Columns {
			fmt.Fprintf(h, "%q %d %q\n", c.Name, c.Compare, c.Note)
		}
	}
	return h.Sum32()
}
