SELECT
    customer_id,
    email,
    health_score * 100 AS health_score_pct,
    CASE WHEN METADATA$ACTION = 'DELETE' THEN 'delete' ELSE 'upsert' END AS sync_action,
    METADATA$ACTION AS change_type,
    METADATA$ISUPDATE AS is_update
FROM customer_health_changes
WHERE METADATA$ACTION IN ('INSERT', 'UPDATE', 'DELETE')
QUALIFY ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY CASE WHEN METADATA$ACTION = 'DELETE' THEN 2 ELSE 1 END, METADATA$ISUPDATE DESC) = 1
