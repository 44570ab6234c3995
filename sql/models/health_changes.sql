-- Model of the sync health_changes: what a stream of changes says, as an action for each
-- customer. The old half of an update is no delete. Where a key was deleted and is there
-- again, its insert counts: a stream tells no order.
SELECT
    customer_id,
    email,
    health_score * 100 AS health_score_pct,
    CASE WHEN "METADATA$ACTION" = 'DELETE' THEN 'delete' ELSE 'upsert' END AS sync_action,
    "METADATA$ACTION" AS change_type,
    "METADATA$ISUPDATE" AS is_update
FROM customer_health_changes
WHERE "METADATA$ACTION" IN ('INSERT', 'UPDATE', 'DELETE')
QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY CASE WHEN "METADATA$ACTION" = 'DELETE' THEN 2 ELSE 1 END, "METADATA$ISUPDATE" DESC) = 1
