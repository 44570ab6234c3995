package sample

import (
	"fmt"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// expected makes sample.expected: the records that must hold a row's values, by key,
// and sample.seeded: those that were there before.
func (c *comparison) expected() string {
	good := fmt.Sprintf("l.left_pass IS NULL AND l.customer_id IN (SELECT customer_id FROM %s) AND l.fault NOT IN (%s)", c.model, c.notDelivered())
	if c.at.seeded() {
		return fmt.Sprintf(`
CREATE OR REPLACE TABLE sample.expected AS
SELECT l.customer_id, a.website AS key, a.name
FROM sample.customers l JOIN sample.accounts a USING (customer_id)
WHERE %s;`, good)
	}
	return fmt.Sprintf(`
CREATE OR REPLACE TABLE sample.expected AS
SELECT l.customer_id, CAST(%s AS VARCHAR) AS key, CAST(NULL AS VARCHAR) AS name
FROM sample.customers l JOIN %s m USING (customer_id)
WHERE %s;`, c.at.of, c.model, good)
}

// notDelivered are the faults whose rows do not arrive by this sync.
func (c *comparison) notDelivered() string {
	list := []string{"''"} // none
	for _, r := range reports(c.def.Sync) {
		list = append(list, literal(string(r.Fault)))
	}
	return strings.Join(list, ", ")
}

// wanted makes sample.wanted: what each row of the model writes.
func (c *comparison) wanted() string {
	columns := "m.customer_id"
	for i, v := range c.values {
		columns += fmt.Sprintf(", %s AS w%d", v.want, i)
	}
	return fmt.Sprintf("CREATE OR REPLACE TABLE sample.wanted AS SELECT %s FROM %s m", columns, c.model)
}

// differences makes sample.differences. The first part is field by field; then come
// records that are there twice, that are gone, and that should not be there; and of
// seeded ones those that were touched though they should not have been. Both sides are
// put beside each other first, since the optimiser would otherwise compare them inside
// the join.
func (c *comparison) differences() string {
	var sides, same, fields []string
	for i, v := range c.values {
		got := fmt.Sprintf("d.f%d", i)
		sides = append(sides, fmt.Sprintf("m.w%d, %s AS h%d, %s AS f%d", i, strings.ReplaceAll(v.have, "%s", got), i, got, i))
		// A text that cannot be read is no null.
		equal := fmt.Sprintf("(w%d IS NOT DISTINCT FROM h%d AND (w%d IS NULL) = (f%d IS NULL))", i, i, i, i)
		same = append(same, equal)
		fields = append(fields, fmt.Sprintf("CASE WHEN NOT %s THEN {'field': %s, 'want': CAST(w%d AS VARCHAR), 'got': f%d} END", equal, literal(v.destination), i, i))
	}
	if c.at.seeded() && !c.writes(c.at.name) {
		same = append(same, "name IS NOT DISTINCT FROM seeded")
		fields = append(fields, "CASE WHEN name IS DISTINCT FROM seeded THEN {'field': 'Name', 'want': seeded, 'got': name} END")
	}
	return fmt.Sprintf(`
CREATE OR REPLACE TABLE sample.differences AS
WITH sides AS MATERIALIZED (
    SELECT e.customer_id, d.id, d.name, e.name AS seeded, %[1]s
    FROM sample.expected e JOIN sample.wanted m USING (customer_id) JOIN sample.destination d USING (key)
)
SELECT customer_id, id, difference.field, difference.want, difference.got FROM (
    SELECT customer_id, id, unnest(list_filter([%[2]s], lambda x: x IS NOT NULL)) AS difference
    FROM sides WHERE NOT (%[3]s)
    UNION ALL
    SELECT NULL, max(d.id), {'field': '', 'want': 'one record', 'got': count(*) || ' records ' || d.key} FROM sample.destination d GROUP BY d.key HAVING count(*) > 1
%[4]s
);`, strings.Join(sides, ",\n        "), strings.Join(fields, ",\n        "), strings.Join(same, " AND "), c.others())
}

// writes reports whether the sync writes a field.
func (c *comparison) writes(field string) bool {
	for _, v := range c.values {
		if v.destination == field {
			return true
		}
	}
	return false
}

// emptied is SQL for a record d that may stay, because its customer is gone and all
// that was written is cleared; where the sync removes records, there is none.
func (c *comparison) emptied() string {
	if c.def.OnDelete != syncdef.RemoveClear {
		return "false"
	}
	all := []string{"coalesce(d.key, '') IN (SELECT customer_id FROM sample.customers WHERE left_pass IS NOT NULL)"}
	for i, v := range c.values {
		if v.destination != c.at.key {
			all = append(all, fmt.Sprintf("d.f%d IS NULL", i))
		}
	}
	return strings.Join(all, " AND ")
}

// others are the differences of records that no good row has.
func (c *comparison) others() string {
	if !c.at.seeded() {
		return fmt.Sprintf(`
    UNION ALL
    SELECT e.customer_id, NULL, {'field': '', 'want': 'the record ' || e.key, 'got': 'none'} FROM sample.expected e ANTI JOIN sample.destination d USING (key)
    UNION ALL
    SELECT NULL, d.id, {'field': '', 'want': 'no such record', 'got': coalesce(d.key, 'a record without %[1]s')} FROM sample.destination d
    WHERE (d.key IS NULL OR d.key NOT IN (SELECT key FROM sample.expected)) AND NOT (%[2]s)`, c.at.key, c.emptied())
	}
	var touched []string
	for i, v := range c.values {
		if v.destination != c.at.name {
			touched = append(touched, fmt.Sprintf("WHEN d.f%d IS NOT NULL THEN {'field': %s, 'want': NULL, 'got': d.f%d}", i, literal(v.destination), i))
		}
	}
	return fmt.Sprintf(`
    UNION ALL
    SELECT a.customer_id, d.id, CASE WHEN d.name IS DISTINCT FROM a.name THEN {'field': 'Name', 'want': a.name, 'got': d.name} %s END AS difference
    FROM sample.accounts a JOIN sample.destination d ON d.key = a.website
    WHERE a.website NOT IN (SELECT key FROM sample.expected) AND difference IS NOT NULL
    UNION ALL
    SELECT a.customer_id, NULL, {'field': '', 'want': 'the Account ' || a.website, 'got': 'none'} FROM sample.accounts a ANTI JOIN sample.destination d ON d.key = a.website
    UNION ALL
    SELECT NULL, d.id, {'field': '', 'want': 'no such Account', 'got': coalesce(d.key, d.name, 'an Account without Website')} FROM sample.destination d
    WHERE d.key IS NULL OR d.key NOT IN (SELECT website FROM sample.accounts)`, strings.Join(touched, " "))
}
