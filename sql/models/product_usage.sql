-- Model of the sync product_usage: what the scores' documents hold, as text for people.
-- One odd document is one null and not a failed statement. Products without a name are
-- left out; of an empty list the text is empty, and without a list it is null.
SELECT
    customer_id,
    array_to_string(list_filter(list_transform(
        TRY_CAST(factors->'products' AS JSON[]), lambda p: p->>'name'), lambda n: n IS NOT NULL), ', ') AS active_products,
    -- Midnights in UTC that have passed since; a time without a zone is in UTC.
    date_diff('day', TRY_CAST(factors->>'last_activity' AS TIMESTAMPTZ) AT TIME ZONE 'UTC', CURRENT_TIMESTAMP AT TIME ZONE 'UTC') AS days_since_activity,
    CASE
        WHEN json_type(factors->'churn_indicators') = 'OBJECT' THEN
            'Churn Risk: ' || coalesce(factors->'churn_indicators'->>'score', 'not scored')
            || ' (Factors: ' || coalesce(nullif(array_to_string(TRY_CAST(factors->'churn_indicators'->'factors' AS VARCHAR[]), ', '), ''), 'none') || ')'
        ELSE 'No churn indicators detected'
    END AS churn_risk_summary,
    last_updated
FROM customer_health_scores
