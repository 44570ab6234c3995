-- Model of the sync resync_health: what is to be sent by one of three reasons, each a
-- condition of its own. sync_timestamp and record_hash are for people who look at the
-- model: the first is another one at every look, so that a mapping of it would send every
-- row every time.
SELECT
    customer_id,
    email,
    health_score * 100 AS health_score_pct,
    CURRENT_TIMESTAMP AT TIME ZONE 'UTC' AS sync_timestamp,
    -- With a mark between the parts, and for what is null: else two rows may look alike.
    md5(concat_ws('|', customer_id, coalesce(CAST(health_score AS VARCHAR), '?'), coalesce(risk_category, '?'))) AS record_hash
FROM customer_health_comprehensive
WHERE
    -- 1: what changed since the last successful sync; all before there was one.
    updated_at > (SELECT coalesce(max(last_successful_sync), TIMESTAMP '1900-01-01 00:00:00')
                  FROM multi_destination_sync_state WHERE sync_id = 'resync_health')
    -- 2: what failed in the last 24 hours.
    OR customer_id IN (
        SELECT record_id FROM reverse_etl_sync_errors
        WHERE sync_run_id LIKE 'resync_health.%'
          AND record_id IS NOT NULL
          AND occurred_at >= (CURRENT_TIMESTAMP AT TIME ZONE 'UTC') - INTERVAL 24 HOURS
    )
    -- 3: what is worth much, once it is scored anew.
    OR (TRY_CAST(financial_metrics->>'mrr' AS DECIMAL(18, 2)) > 10000
        AND calculated_at >= (CURRENT_TIMESTAMP AT TIME ZONE 'UTC') - INTERVAL 24 HOURS)
-- High risk first, then what is worth most, and in the end by id, so that ties are no
-- matter of luck.
ORDER BY
    CASE risk_category WHEN 'high_risk' THEN 1 ELSE 2 END,
    TRY_CAST(financial_metrics->>'mrr' AS DECIMAL(18, 2)) DESC NULLS LAST,
    customer_id
