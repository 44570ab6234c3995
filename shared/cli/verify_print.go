package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/penstock-data/penstock/shared/verify"
)

// records is so many records, for people.
func records(n int64) string {
	return humanize.Comma(n) + " " + english.PluralWord(int(n), "record", "")
}

// budget tells what comparing will take, before it does.
func (s program) budget(sync string, b verify.Budget, seed uint64) error {
	_, err := fmt.Fprintln(s.out, wrapped("", fmt.Sprintf("%s: reading back %s of %s, with %s (--seed %d)",
		sync, humanize.Comma(int64(b.Records)), records(b.Ledger), english.Plural(b.Calls, "call", ""), seed)))
	return err
}

// shownDiffer is how many records that differ are shown to people.
const shownDiffer = 20

// stateLines are the states in the order of their weight, and what they mean.
var stateLines = []struct {
	state verify.State
	means string
}{
	{verify.Same, "as delivered"},
	{verify.Changed, "changed since"},
	{verify.Missing, "missing at the destination"},
	{verify.Waits, "not delivered, or voided: the next run that selects them sends them"},
	{verify.Moved, "delivered anew meanwhile"},
	{verify.Removed, "removed by this sync"},
	{verify.NoID, "cannot be read: the destination gave no id"},
	{verify.Unkept, "cannot be told: too many fields"},
	{verify.Untold, "cannot be told: delivered by a version that is not stored"},
	{verify.Unread, "cannot be told: nothing of it can be read"},
}

// print prints the comparison for people.
func (c verifyCmd) print(s program, v *verified) {
	for _, t := range stateLines {
		if n := v.States[t.state]; n > 0 {
			fmt.Fprintf(s.out, "  %7s  %s\n", humanize.Comma(n), t.means)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(v.Fields)) {
		fmt.Fprintln(s.out, wrapped("  ", fmt.Sprintf("%s differs in %s", name, records(v.Fields[name]))))
	}
	for i, r := range v.Report.Records {
		if i == shownDiffer {
			fmt.Fprintf(s.out, "    and %s more: --json lists them\n", humanize.Comma(int64(len(v.Report.Records)-i)))
			break
		}
		fmt.Fprintln(s.out, wrapped("    ", differing(r)))
	}
	for _, name := range slices.Sorted(maps.Keys(v.Unsure)) {
		fmt.Fprintln(s.out, wrapped("  ", fmt.Sprintf("%s may differ in %s", name, records(v.Unsure[name]))))
	}
	for _, n := range v.Notes {
		fmt.Fprintln(s.out, wrapped("  ", n.Field+" is not fully compared: "+n.Why))
	}
	c.next(s, v)
}

// differing is a record that differs, on a line.
func differing(r verify.Record) string {
	text := string(r.State) + " " + r.ID
	if r.Key != "" {
		text += " (" + r.Key + ")"
	}
	var fields []string
	for _, f := range r.Fields {
		switch {
		case f.Personal:
			fields = append(fields, f.Field+" (personal)")
		default:
			fields = append(fields, f.Field+" is "+cut(string(f.Found), maxValue))
		}
	}
	if fields != nil {
		text += ": " + strings.Join(fields, ", ")
	}
	return text
}

// filled says where what was read stands.
func (c verifyCmd) filled(s program, t *keptTable, v *verified) {
	switch {
	case c.Into == "":
		return
	case v.Stopped != "":
		fmt.Fprintln(s.out, wrapped("", "no table is made of a part of the records"))
		return
	case c.Into == intoWarehouse:
		fmt.Fprintln(s.out, wrapped("", fmt.Sprintf("%s and the view %s hold what was read", t.name, t.view())))
	}
	if lacks := t.lacks(); lacks != nil && len(lacks) < len(asked) {
		fmt.Fprintln(s.out, wrapped("", "the model has no column "+strings.Join(lacks, " and no ")+", which the sample's statements over it ask for"))
	}
}

// next says what mends it.
func (c verifyCmd) next(s program, v *verified) {
	flags := somewhere{Data: c.Data, Stack: c.Stack}.flags()
	if !c.Mend {
		if v.Differ() > 0 {
			fmt.Fprintf(s.out, "to send them again:  %s verify %s --sample %s --seed %d --mend%s\n", self(), c.Sync, c.Sample, c.Seed, flags)
		}
		return
	}
	if v.Mended+v.States[verify.Waits] > 0 {
		fmt.Fprintln(s.out, wrapped("", fmt.Sprintf("%s of %s voided: the next run selects all rows, and sends these", records(v.Mended), c.Sync)))
	} else {
		fmt.Fprintln(s.out, "nothing was voided")
	}
	if v.Unmended > 0 {
		fmt.Fprintln(s.out, wrapped("", fmt.Sprintf("%s that differ are left as they are: an insert, or a row whose record has another external id by now, would make a second one", records(v.Unmended))))
	}
	if v.Meanwhile != "" {
		fmt.Fprintln(s.out, wrapped("", fmt.Sprintf("the run %s was begun meanwhile, and may have passed some of them: when it has ended, first  penstock reset %s", v.Meanwhile, c.Sync)))
	}
	if v.Mended > 0 || v.States[verify.Waits] > 0 {
		fmt.Fprintf(s.out, "to send them:  %s run %s%s\n", self(), c.Sync, flags)
		fmt.Fprintln(s.out, wrapped("", "rows that are pushed outside of runs: push them again"))
	}
}
