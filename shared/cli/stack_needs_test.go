package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/pace"
)

// documented is what docs/security.md says that the person's credentials need for a command,
// as the world notes it.
func documented(t *testing.T, page, command string) (all []string) {
	t.Helper()
	_, part, _ := strings.Cut(page, "| Command with `--stack NAME` |")
	part, _, _ = strings.Cut(part, "\n\n")
	found := false
	for line := range strings.Lines(part) {
		cells := strings.Split(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(line), "|"), "|"), "|")
		if len(cells) != 5 || !strings.HasPrefix(cells[0], " all") && !strings.Contains(cells[0], "`"+command+"`") {
			continue
		}
		found = found || !strings.HasPrefix(cells[0], " all")
		for n, table := range []string{"state", "ledger", "errors"} {
			for _, action := range regexp.MustCompile(`[A-Z][a-z]+(Get)?Item|Query`).FindAllString(cells[n+1], -1) {
				all = append(all, "dynamodb:"+action+" "+table)
			}
		}
		all = append(all, regexp.MustCompile(`[a-z]+:[A-Z][A-Za-z]+`).FindAllString(cells[4], -1)...)
	}
	if !found {
		t.Errorf("docs/security.md does not say what %s needs", command)
	}
	return all
}

// Every action of AWS that a command takes at a stack is one that the security page names
// for it.
func TestServersStackNeeds(t *testing.T) {
	page := read(t, "../../docs/security.md")
	files := mirrorFiles()
	files["connections.yaml"] += "  chat: {type: slack}\n"
	files["things.yaml"] += "notifications:\n  - {type: email, recipients: [data@acme.com]}\n  - {type: slack, connection: chat, channel: \"#customer-health\"}\n"
	w := newStackWorld(t, files)
	at, here := governing{Stack: "prod"}, somewhere{Stack: "prod"}
	w.fail("a2")
	id := w.push("things", "q1", `{"sku":"a1","title":"Lamp","n":1}`, `{"sku":"a2","title":"Chair","n":2}`)
	w.drain()
	w.fail()
	gone := func() {
		for _, r := range slices.Collect(w.vendors.Salesforce.Records("Account")) {
			w.ok(w.vendors.Salesforce.Remove("Account", r.ID()))
		}
	}
	folder := t.TempDir() // of definitions that differ from what is applied
	scheduled := files["things.yaml"] + "sync_frequency: hourly\n"
	w.ok(os.WriteFile(filepath.Join(folder, "things.yaml"), []byte(scheduled), 0o600))
	connections := "connections:\n"
	for name, kind := range map[string]string{"crm": "salesforce", "chat": "slack"} {
		c, err := w.table.Connection(t.Context(), name)
		w.ok(err)
		connections += fmt.Sprintf("  %s: {type: %s, url: %q}\n", name, kind, c.Connection.URL)
	}
	connections += "warehouse: {type: snowflake, account: acme, user: penstock, role: penstock, warehouse: wh, database: db}\n"
	w.ok(os.WriteFile(filepath.Join(folder, "connections.yaml"), []byte(connections), 0o600))
	for _, c := range []struct {
		name   string
		cmd    subcommand
		before func()
		takes  string // one action, to see that they are noted
	}{
		{"status", statusCmd{somewhere: here}, nil, "dynamodb:Query state"},
		{"errors", errorsCmd{Name: id, somewhere: here}, nil, "dynamodb:Query errors"},
		{"runs", runsCmd{Limit: 10, somewhere: here}, nil, ""},
		{"connect list", connectListCmd{somewhere: here}, nil, ""},
		{"alert list", alertListCmd{Sync: "things", somewhere: here}, nil, ""},
		{"pause", pauseCmd{Sync: "things", somewhere: here}, nil, ""},
		{"resume", resumeCmd{Sync: "things", somewhere: here}, nil, ""},
		{"retry", retryCmd{Run_: id, governing: at}, nil, "sqs:SendMessage"},
		{"reset", resetCmd{Sync: "things", governing: at}, nil, ""},
		{"cancel", cancelCmd{Run_: id, governing: at}, nil, ""},
		{"connect test", connectTestCmd{Name: "crm", Stack: "prod"}, func() { w.pause(func(*pace.State) {}) }, "dynamodb:PutItem state"},
		{"connect", connectShowCmd{Name: "chat", AcceptAccount: true, somewhere: here}, nil, ""},
		{"alert test", alertTestCmd{Sync: "things", Stack: "prod"}, nil, "ses:SendEmail"},
		{"verify", verifyCmd{Sync: "things", Stack: "prod"}, nil, "secretsmanager:GetSecretValue"},
		{"verify --mend", verifyCmd{Sync: "things", Stack: "prod", Mend: true}, gone, "dynamodb:PutItem ledger"},
		{"forget", forgetCmd{Key: "a2", Yes: true, Stack: "prod"}, nil, "dynamodb:DeleteItem errors"},
		{"audit", auditCmd{Limit: 10, somewhere: here}, nil, ""},
		{"cost", costCmd{Name: "things", somewhere: here}, nil, ""},
		{"apply", applyCmd{definitions: definitions{Syncs: folder}, Stack: "prod", Yes: true}, nil, "scheduler:CreateSchedule"},
		{"doctor", doctorCmd{Syncs: folder, Stack: "prod", Wait: time.Minute, asking: asking{Data: filepath.Join(folder, "none")}}, nil, "iam:GetRole"},
		{"remove", removeCmd{Sync: "things", Yes: true, somewhere: here}, nil, "scheduler:DeleteSchedule"},
	} {
		if c.before != nil {
			c.before()
		}
		w.needs()
		out, err := w.says(c.cmd)
		if code := codeOf(err); code != exitWell && code != exitRows && c.name != "doctor" { // which finds faults in the stand-ins' policies
			t.Errorf("%s: %v: %s", c.name, err, out)
		}
		needs := w.needs()
		if c.takes != "" && !slices.Contains(needs, c.takes) {
			t.Errorf("%s does not need %s: %q", c.name, c.takes, needs)
		}
		may := documented(t, page, c.name)
		for _, action := range needs {
			if !slices.Contains(may, action) {
				t.Errorf("%s needs %s, which docs/security.md does not say", c.name, action)
			}
		}
	}
	if applied, err := w.table.List(t.Context()); err != nil || slices.Contains(applied, "things") || len(w.schedules) > 0 {
		t.Errorf("after remove %q are applied, %v, with the schedules %q", applied, err, w.schedules)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
