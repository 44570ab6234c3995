package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// storedError is one entry of penstock_errors.
type storedError struct {
	RecordID string `json:"record_id"`
	Field    string `json:"field"`
	Type     string `json:"error_type"`
	Stage    string `json:"stage"`
	Message  string `json:"error_message"`
}

// errors reads a run's errors as a user would: in SQL, page by page.
func (d *demo) errors(ctx context.Context, id string, visit func(storedError) bool) error {
	next := ""
	for {
		var text string
		if err := d.warehouse.DB().QueryRowContext(ctx, "SELECT penstock_errors(?, ?)", id, next).Scan(&text); err != nil {
			return fmt.Errorf("read the errors of run %s: %w", id, err)
		}
		var page struct {
			Errors []storedError `json:"errors"`
			Next   string        `json:"next"`
		}
		if err := json.Unmarshal([]byte(text), &page); err != nil {
			return fmt.Errorf("read the errors of run %s: %w", id, err)
		}
		for _, e := range page.Errors {
			if !visit(e) {
				return nil
			}
		}
		if next = page.Next; next == "" {
			return nil
		}
	}
}

// firstErrors shows one error per reason that was not seen before, the first of each.
func (d *demo) firstErrors(ctx context.Context, r syncRun, seen map[string]bool) error {
	const most = 8
	shown := 0
	var lines strings.Builder
	err := d.errors(ctx, r.Run, func(e storedError) bool {
		if !seen[e.Type] {
			seen[e.Type] = true
			shown++
			lines.WriteString("\n  " + strings.Join([]string{cut(e.RecordID, 28), cut(e.Field, 25), e.Type}, dot(d.s.out)))
			for line := range strings.Lines(text.WrapSoft(cut(e.Message, 160), widest-4)) {
				lines.WriteString("\n    " + strings.TrimSpace(line))
			}
		}
		return shown < most
	})
	if err != nil || shown == 0 {
		return err
	}
	d.say("\n  SELECT penstock_errors('%s'), one of each reason:%s", r.Run, lines.String())
	return nil
}
