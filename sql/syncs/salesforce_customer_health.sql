-- The model of the sync salesforce_customer_health: the customers scored in the
-- last day. The view is in sql/<dialect>, since only it differs by dialect: it
-- reads JSON.
SELECT
    customer_id,
    email,
    company_name,
    health_score_pct,
    customer_health_status,
    usage_score_pct,
    support_score_pct,
    health_score_updated_date
FROM salesforce_customer_health
