package sql

import "testing"

// A column is selected where an item of the list is called so, and nowhere else in the text.
func TestSelects(t *testing.T) {
	for model, want := range map[string]bool{
		`SELECT id, sync_action FROM t`:                                                       true,
		`SELECT id, SYNC_ACTION, name FROM t`:                                                 true,
		`SELECT t."sync_action" FROM t`:                                                       true,
		`SELECT id, CASE WHEN gone THEN 'delete' END AS sync_action FROM t`:                   true,
		`SELECT id, COALESCE(a, b) sync_action FROM t`:                                        true,
		"WITH a AS (SELECT id FROM t) SELECT *, 'delete' AS sync_action -- FROM here\nFROM a": true,
		`SELECT id, sync_action FROM a UNION ALL SELECT id, x FROM b`:                         true,
		`SELECT 'delete' AS sync_action`:                                                      true,
		`SELECT EXTRACT(epoch FROM ts) AS id, sync_action FROM t`:                             true,
		"-- sync_action is left out here on purpose\nSELECT id, name FROM t":                  false,
		`SELECT id, name /* sync_action */ FROM t`:                                            false,
		`SELECT id FROM t WHERE sync_action <> 'delete' OR sync_action IS NULL`:               false,
		`SELECT id, 'sync_action' FROM t`:                                                     false,
		`SELECT id, sync_action AS what FROM t`:                                               false,
		`SELECT id, COUNT(sync_action) FROM t GROUP BY id`:                                    false,
		`SELECT * FROM t`: false,
		`SELECT id, x FROM a UNION ALL SELECT id, sync_action FROM b`:                                           false,
		`WITH a AS (SELECT id, sync_action FROM t) SELECT id, name FROM a ORDER BY sync_action`:                 false,
		`WITH final AS (SELECT id, CASE WHEN gone THEN 'delete' END AS sync_action FROM t) SELECT * FROM final`: true,
		`SELECT * FROM (SELECT id, sync_action FROM t) x`:                                                       true,
		`(SELECT id, sync_action FROM a) UNION ALL (SELECT id, x FROM b)`:                                       true,
		`SELECT id, sync_action::varchar FROM t`:                                                                true,
		`SELECT id, x::varchar(10) AS sync_action FROM t`:                                                       true,
		`SELECT id, CAST(t.sync_action AS varchar(10)) FROM t`:                                                  true,
		`SELECT id, CAST(x AS varchar(10)) AS sync_action FROM t`:                                               true,
		`SELECT *, (SELECT MAX(sync_action) FROM u) AS x FROM t`:                                                false,
		`WITH a AS (SELECT id, sync_action FROM t) SELECT id, name FROM a`:                                      false,
		`SELECT a.* FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.sync_action = a.x)`:                            false,
		``: false,
	} {
		if got := selects(model, "sync_action"); got != want {
			t.Errorf("%s: %v", model, got)
		}
	}
}
