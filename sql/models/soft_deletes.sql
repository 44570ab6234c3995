-- Model of the sync soft_deletes: customers that are marked as deleted stay in the table
-- and leave the destination. Whether one is deleted is said once: a status that is not
-- known is not deleted, and must not empty the address.
WITH marked AS (
    SELECT *, coalesce(status = 'deleted', FALSE) OR deleted_at IS NOT NULL AS gone
    FROM customer_lifecycle
)
SELECT
    customer_id,
    gone AS should_delete_from_destination,
    CASE WHEN NOT gone THEN email END AS email,
    CASE WHEN NOT gone THEN health_score * 100 END AS health_score_pct,
    last_updated
FROM marked
