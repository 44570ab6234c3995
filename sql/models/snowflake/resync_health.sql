SELECT
    customer_id,
    email,
    health_score * 100 AS health_score_pct,
    SYSDATE() AS sync_timestamp,
    -- With a mark between the parts, and for what is null: else two rows may look alike.
    MD5(CONCAT_WS('|', customer_id, COALESCE(health_score::VARCHAR, '?'), COALESCE(risk_category, '?'))) AS record_hash
FROM customer_health_comprehensive
WHERE
    -- 1: what changed since the last successful sync; all before there was one.
    updated_at > (SELECT COALESCE(MAX(last_successful_sync), '1900-01-01 00:00:00'::TIMESTAMP_NTZ)
                  FROM multi_destination_sync_state WHERE sync_id = 'resync_health')
    -- 2: what failed in the last 24 hours.
    OR customer_id IN (
        SELECT record_id FROM reverse_etl_sync_errors
        WHERE sync_run_id LIKE 'resync_health.%'
          AND record_id IS NOT NULL
          AND occurred_at >= DATEADD('hour', -24, SYSDATE())
    )
    -- 3: what is worth much, once it is scored anew.
    OR (TRY_TO_DECIMAL(financial_metrics:mrr::VARCHAR, 18, 2) > 10000
        AND calculated_at >= DATEADD('hour', -24, SYSDATE()))
-- High risk first, then what is worth most, and in the end by id, so that ties are no
-- matter of luck.
ORDER BY
    CASE risk_category WHEN 'high_risk' THEN 1 ELSE 2 END,
    TRY_TO_DECIMAL(financial_metrics:mrr::VARCHAR, 18, 2) DESC NULLS LAST,
    customer_id
