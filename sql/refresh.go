package sql

import (
	"fmt"
	"strings"
)

// A RefreshStep is one statement of penstock_refresh; of a group with Pages it is done
// again, with $page one more each time, until the group's first step says that nothing
// is pending.
type RefreshStep struct {
	Step
	Table string // that it merges into, for the answer; "" for none
}

// A RefreshGroup is steps that are done in order: once, or where Pending is given for
// every page. $refresh names this refresh, $page the page, from 0 on.
type RefreshGroup struct {
	Pending Step // answers how many pages come after $page, in the dialects where there are any; without it the group is done once
	Steps   []RefreshStep
}

// RefreshGroups are the statements of penstock_refresh, the same in all dialects. Each
// does no harm when it is done twice, and a run is merged after its errors: so a
// refresh that died is made good by the next. How far back it reads is told by what is
// merged already: the runs of a sync that are not settled, and those since the last.
func RefreshGroups() ([]RefreshGroup, error) {
	b := refreshBuilder{}
	groups := []RefreshGroup{
		{Steps: []RefreshStep{
			b.step("tidy", "", tidyPages),
			b.step("read the syncs", "", readSyncs),
		}},
		{Pending: b.pendingIn("syncs", moreSyncs), Steps: []RefreshStep{{Step: b.of("read more syncs", moreSyncs, nil)}}},
		{Steps: []RefreshStep{
			b.step("models beside yours", "", besideYours("penstock_models", "sync")),
			b.merge("models", mergeModels),
			b.step("read the runs", "", readStatus),
		}},
		{Pending: b.pending("status"), Steps: []RefreshStep{b.step("read older runs", "", nextPage("status", "penstock_status(p.name, p.since, %s)"))}},
		{Steps: []RefreshStep{
			b.step("read the errors", "", readErrors),
			b.merge("errors", mergeErrors("0")),
		}},
		{Pending: b.pending("errors"), Steps: []RefreshStep{
			b.step("read more errors", "", nextPage("errors", "penstock_errors(p.name, %s, p.since)")),
			b.merge("more errors", mergeErrors("$page + 1")),
			b.step("drop what is merged", "", dropMerged),
		}},
		{Steps: []RefreshStep{
			b.merge("runs", mergeRuns),
			b.step("rows that failed since", "", goneByErrors),
			b.step("rows that were pushed", "penstock_pushed", rememberPushed),
			b.step("rows that are gone", "", forgetGone),
			b.step("rows on their way", "", forgetSent),
			b.step("connections that ended", "", endedConnections),
			b.step("sources that are not kept", "", dropSources),
			b.step("state beside yours", "", besideYours("reverse_etl_sync_state", "sync_name")),
			b.merge("state", mergeState),
			b.step("destinations beside yours", "", besideYours("multi_destination_sync_state", "sync_id")),
			b.merge("destinations", mergeDestinations),
			b.step("read the freshness", "", readFreshness),
			b.merge("freshness", mergeFreshness),
			b.step("old freshness", "", "DELETE FROM penstock_destination_freshness WHERE refreshed_at < {{days 30}}"),
			b.step("old errors", "", "DELETE FROM reverse_etl_sync_errors WHERE error_ref IS NOT NULL AND occurred_at < {{days 30}}"),
			b.step("old runs", "", "DELETE FROM penstock_runs WHERE refreshed_at IS NOT NULL AND COALESCE(ended_at, begun_at) < {{days 30}}"),
			{Step: b.of("old receipts", oldReceipts, nil)}, // those of syncs that run no more, too
			b.step("old state", "", "DELETE FROM reverse_etl_sync_state WHERE refreshed_at < {{days 30}}"),
			b.step("old destinations", "", "DELETE FROM multi_destination_sync_state WHERE refreshed_at < {{days 30}}"),
			b.step("old models", "", "DELETE FROM penstock_models WHERE refreshed_at < {{days 30}}"),
			b.step("done", "", "DELETE FROM penstock_pages WHERE refresh = $refresh"),
		}},
	}
	return groups, b.err
}

// loop is how a dialect's procedure repeats a group, page by page.
type loop struct{ first, while, next, end string }

var loops = map[Dialect]loop{
	Snowflake: {"page := 0;", "WHILE (pending > 0) DO", "page := page + 1;", "END WHILE;"},
	Redshift:  {"v_page := 0;", "WHILE v_pending > 0 LOOP", "v_page := v_page + 1;", "END LOOP;"},
	BigQuery:  {"SET v_page = 0;", "WHILE v_pending > 0 DO", "SET v_page = v_page + 1;", "END WHILE;"},
}

// refreshScript is the body of the dialect's procedure, by the same list.
func (d speech) refreshScript() (string, error) {
	words := loops[d.name]
	groups, err := RefreshGroups()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	write := func(indent int, text string) {
		for line := range strings.SplitSeq(text, "\n") {
			b.WriteString(strings.TrimRight(strings.Repeat("    ", indent)+line, " ") + "\n")
		}
	}
	for _, g := range groups {
		if g.Pending.Into == nil {
			for _, s := range g.Steps {
				write(1, "-- "+string(s.Name))
				write(1, d.scripting(s.Step))
			}
			continue
		}
		if g.Pending.In(d.name).Statement() == "" { // nothing has pages here
			continue
		}
		write(1, words.first)
		write(1, d.scripting(g.Pending))
		write(1, words.while)
		for _, s := range g.Steps {
			write(2, "-- "+string(s.Name))
			write(2, d.scripting(s.Step))
		}
		write(2, words.next)
		write(2, d.scripting(g.Pending))
		write(1, words.end)
	}
	return strings.TrimRight(b.String(), "\n"), nil
}

// A refreshBuilder renders steps in all dialects and keeps the first fault.
type refreshBuilder struct{ err error }

func (b *refreshBuilder) step(name, table, text string) RefreshStep {
	return RefreshStep{Step: b.of(name, func(speech) string { return text }, nil), Table: table}
}

func (b *refreshBuilder) merge(name string, m merging) RefreshStep {
	return RefreshStep{Step: b.of(name, m.text, nil), Table: m.table}
}

// pending counts the pages of a kind that come after $page.
func (b *refreshBuilder) pending(kind string) Step {
	text := "SELECT COUNT(*) FROM penstock_pages AS p WHERE p.refresh = $refresh AND p.kind = '" + kind +
		"' AND p.page = $page AND {{" + next + "}} IS NOT NULL"
	return b.of("pending "+kind, func(speech) string { return text }, []string{"pending"})
}

// pendingIn is pending, in the dialects in which there is a statement.
func (b *refreshBuilder) pendingIn(kind string, statement func(speech) string) Step {
	s := b.pending(kind)
	for d, text := range map[Dialect]*Text{Snowflake: &s.Snowflake, DuckDB: &s.DuckDB, Redshift: &s.Redshift, BigQuery: &s.BigQuery} {
		if statement(speeches[d]) == "" {
			*text = Text{}
		}
	}
	return s
}

func (b *refreshBuilder) of(name string, text func(speech) string, into []string) Step {
	s := Step{Name: StepName(name), Into: into}
	for _, in := range []struct {
		speech
		text *Text
	}{{snow, &s.Snowflake}, {duck, &s.DuckDB}, {shift, &s.Redshift}, {query, &s.BigQuery}} {
		rendered, err := in.render(name, strings.TrimSpace(text(in.speech)), nil)
		if err != nil && b.err == nil {
			b.err = fmt.Errorf("penstock_refresh: %w", err)
		}
		if list, rest, found := strings.Cut(strings.TrimPrefix(rendered, "SELECT "), " FROM "); into != nil && found {
			*in.text = Text{Select: list, Rest: "FROM " + rest}
		} else {
			in.text.Rest = rendered
		}
	}
	return s
}

// oldReceipts is not for Redshift, where it would wait for every push that is under way, as
// that writes the table: there a run deletes those of all syncs.
func oldReceipts(d speech) string {
	if d.name == Redshift {
		return "NULL"
	}
	return "DELETE FROM penstock_receipts WHERE pushed_at < {{days 7}}"
}

// next is where the answer of a page goes on.
const next = `(text "p.answer" "next")`

const tidyPages = `DELETE FROM penstock_pages WHERE refresh = $refresh OR read_at < {{days 1}}`

// nextPage reads the pages after $page.
func nextPage(kind, call string) string {
	return `
INSERT INTO penstock_pages (refresh, kind, name, since, page, answer)
SELECT $refresh, '` + kind + `', p.name, p.since, p.page + 1, {{answer (printf "` + call + `" ` + next + `)}}
FROM penstock_pages AS p
WHERE p.refresh = $refresh AND p.kind = '` + kind + `' AND p.page = $page AND {{` + next + `}} IS NOT NULL`
}

// besideYours drops a row of ours where there is one that was inserted by hand.
func besideYours(table, key string) string {
	return "DELETE FROM " + table + " WHERE refreshed_at IS NOT NULL AND " + key + " IN (SELECT y." + key + " FROM " + table + " AS y WHERE y.refreshed_at IS NULL)"
}
