-- The sample's pre-sync validation with failure thresholds.
WITH sync_batch AS (
    SELECT *,
        CASE WHEN email IS NULL THEN 1 ELSE 0 END as has_error
    FROM salesforce_customer_health_sync
),
error_rate AS (
    SELECT
        COUNT(*) as total_records,
        SUM(has_error) as error_records,
        SUM(has_error)::FLOAT / COUNT(*) as error_rate
    FROM sync_batch
)
SELECT
    CASE
        WHEN error_rate > 0.05 THEN 'BLOCK_SYNC'
        WHEN error_rate > 0.01 THEN 'WARN_CONTINUE'
        ELSE 'PROCEED'
    END as sync_decision
FROM error_rate
