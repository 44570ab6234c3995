-- The sample's pre-sync data quality checks, over a table as it stands.
WITH sync_data AS (
    SELECT *,
        CASE WHEN email IS NULL OR email = '' THEN 1 ELSE 0 END as missing_email,
        CASE WHEN health_score < 0 OR health_score > 1 THEN 1 ELSE 0 END as invalid_score,
        CASE WHEN LENGTH(company_name) > 255 THEN 1 ELSE 0 END as name_too_long
    FROM customer_health_scores
),
quality_summary AS (
    SELECT
        COUNT(*) as total_records,
        SUM(missing_email) as records_missing_email,
        SUM(invalid_score) as records_invalid_score,
        SUM(name_too_long) as records_name_too_long
    FROM sync_data
)
SELECT
    CASE
        WHEN records_missing_email::FLOAT / total_records > 0.05 THEN 'FAIL'
        WHEN records_invalid_score > 0 THEN 'FAIL'
        ELSE 'PASS'
    END as quality_check_status
FROM quality_summary
