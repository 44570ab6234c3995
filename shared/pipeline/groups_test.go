package pipeline_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A request whose rows belong to more groups than can be stored of it is refused whole, with
// what to do; smaller ones of the same rows are taken.
func TestTooManyGroups(t *testing.T) {
	w := newWorld(t, 1, func(c *crm, _ *syncdef.Definition) { c.group = "Value__c" })
	objects := make([]string, 12_000)
	for n := range objects {
		objects[n] = object(fmt.Sprint("k", n), n)
	}
	_, err := w.intake.Push(t.Context(), batch("q", "q:1", "accounts", objects...))
	refusal, ok := errors.AsType[*row.Refusal](err)
	if !ok || refusal.Kind != row.TooLarge || !strings.Contains(refusal.Message, " different groups (Value__c)") || !strings.Contains(refusal.Message, "send fewer rows at a time") {
		t.Fatalf("%v", err)
	}
	if n := w.depth(); n != 0 {
		t.Errorf("%d messages of a request that was refused", n)
	}
	for n, part := range [][]string{objects[:4000], objects[4000:8000]} {
		for _, a := range w.push(batch("q", fmt.Sprint("q:", n+2), "accounts", part...)) {
			if a.Status != row.Queued {
				t.Fatalf("%+v", a)
			}
		}
	}
}
