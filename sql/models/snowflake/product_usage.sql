SELECT
    customer_id,
    IFF(IS_ARRAY(factors:products), ARRAY_TO_STRING(FILTER(TRANSFORM(factors:products::ARRAY, p -> p:name::VARCHAR), n -> n IS NOT NULL), ', '), NULL) AS active_products,
    -- Midnights in UTC that have passed since; a time without a zone is in UTC.
    DATEDIFF('day', CONVERT_TIMEZONE('UTC', TRY_TO_TIMESTAMP_TZ(factors:last_activity::VARCHAR))::TIMESTAMP_NTZ, SYSDATE()) AS days_since_activity,
    CASE
        WHEN IS_OBJECT(factors:churn_indicators) THEN
            'Churn Risk: ' || COALESCE(factors:churn_indicators:score::VARCHAR, 'not scored')
            || ' (Factors: ' || COALESCE(NULLIF(ARRAY_TO_STRING(factors:churn_indicators:factors, ', '), ''), 'none') || ')'
        ELSE 'No churn indicators detected'
    END AS churn_risk_summary,
    last_updated
FROM customer_health_scores
