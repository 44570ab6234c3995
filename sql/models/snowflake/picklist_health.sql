SELECT
    customer_id,
    CASE risk_category
        WHEN 'high_risk'   THEN 'At Risk'
        WHEN 'medium_risk' THEN 'Moderate Risk'
        ELSE 'Healthy'
    END AS health_status_picklist,
    -- 255 characters; the definition cuts what is longer in the destination's own count.
    LEFT(company_name, 255) AS company_name_truncated,
    COALESCE(health_score * 100, 0) AS health_score_pct,
    updated_at
FROM customer_health_comprehensive
