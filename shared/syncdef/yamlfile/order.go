package yamlfile

import (
	"fmt"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// order holds what the syncs wait for against each other: names that no definition of
// the folder has, and circles.
func (l *loader) order() {
	after := map[string][]string{}
	for _, y := range l.set.Syncs {
		after[y.Definition.Sync] = y.Definition.After
	}
	for _, y := range l.set.Syncs {
		for i, name := range y.Definition.After {
			if _, found := l.files[name]; l.whole && !found && namePattern.MatchString(name) && name != y.Definition.Sync {
				l.faults = append(l.faults, y.Placed([]syncdef.Fault{{Path: item("after", i), Message: fmt.Sprintf("after: there is no sync %s in this folder%s", shorten(name), l.near(name))}})...)
			}
		}
	}
	cycle := syncdef.Cycle(after)
	if cycle == "" {
		return
	}
	for _, y := range l.set.Syncs {
		if first := y.Definition.Sync; len(cycle) > len(first) && cycle[:len(first)+1] == first+" " && len(y.Definition.After) > 0 && y.Definition.After[0] != first {
			l.faults = append(l.faults, y.Placed([]syncdef.Fault{{Path: "after", Message: syncdef.CycleMessage(cycle)}})...)
		}
	}
}

// near is what a name may have been meant to be.
func (l *loader) near(name string) string {
	names := make([]string, 0, len(l.files))
	for n := range l.files {
		names = append(names, n)
	}
	if near := syncdef.Nearest(name, names); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}
