WITH marked AS (
    SELECT *, COALESCE(status = 'deleted', FALSE) OR deleted_at IS NOT NULL AS gone
    FROM customer_lifecycle
)
SELECT
    customer_id,
    gone AS should_delete_from_destination,
    CASE WHEN NOT gone THEN email END AS email,
    CASE WHEN NOT gone THEN health_score * 100 END AS health_score_pct,
    last_updated
FROM marked
