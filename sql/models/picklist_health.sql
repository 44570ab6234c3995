-- Model of the sync picklist_health: values that the destination's fields take. What is
-- no known category is Healthy, as are those that are low; a score that is not known is 0.
SELECT
    customer_id,
    CASE risk_category
        WHEN 'high_risk'   THEN 'At Risk'
        WHEN 'medium_risk' THEN 'Moderate Risk'
        ELSE 'Healthy'
    END AS health_status_picklist,
    -- 255 characters; the definition cuts what is longer in the destination's own count.
    left(company_name, 255) AS company_name_truncated,
    coalesce(health_score * 100, 0) AS health_score_pct,
    updated_at
FROM customer_health_comprehensive
