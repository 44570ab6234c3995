package sql

import (
	"embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed monitoring/*.sql
var monitoring embed.FS

// monitoringFolder holds the tables and views that all dialects have, as one text
// that says in a few words where they differ.
const monitoringFolder = "monitoring"

// What monitoring makes: the tables and views that people read, and the tables that
// Penstock keeps for itself.
var (
	monitoringTables = []string{
		"penstock_models", "penstock_runs",
		"reverse_etl_sync_state", "reverse_etl_sync_errors", "multi_destination_sync_state", "penstock_destination_freshness",
	}
	monitoringViews = []string{
		"reverse_etl_sync_health", "reverse_etl_dashboard", "reverse_etl_alerts", "destination_data_freshness", "data_freshness_check",
	}
	ownTables = []string{"penstock_pages", "penstock_pushed", "penstock_pushing"}
)

// Monitored are the tables and views that people read and penstock_refresh brings up to
// date.
func Monitored() []string { return slices.Concat(monitoringTables, monitoringViews) }

// MonitoringNames are all that MonitoringTables makes.
func MonitoringNames() []string { return slices.Concat(Monitored(), ownTables) }

// records is how many rows of a run are at the destination.
func records(of string) string {
	return fmt.Sprintf("LEAST(%[1]sreceived, %[1]sdelivered + %[1]sunchanged + %[1]sretried_delivered)", of)
}

// nothing is true of an ended run that delivered nothing of what it got.
func nothing(of string) string {
	return fmt.Sprintf("(%[1]soutcome = 'failed' AND %[1]sretried_delivered = 0)", of)
}

// succeeded is true of a run that moves the last success: complete, and with a row at
// the destination, or none to deliver.
func succeeded(of string) string {
	return fmt.Sprintf("%[1]sstatus = 'complete' AND (%[1]soutcome <> 'failed' OR %[1]sretried_delivered > 0)", of)
}

// MonitoringTables is the part of the duckdb script that penstock_refresh needs, and
// makes by itself where it is missing: the tables, and the views over them.
func MonitoringTables() (string, error) {
	var parts []string
	for _, name := range []string{"03_monitoring_tables.sql", "06_monitoring_views.sql"} {
		text, err := monitoring.ReadFile(monitoringFolder + "/" + name)
		if err != nil {
			return "", fmt.Errorf("monitoring: %w", err)
		}
		part, err := duck.render(name, string(text), nil)
		if err != nil {
			return "", err
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "\n"), nil
}
