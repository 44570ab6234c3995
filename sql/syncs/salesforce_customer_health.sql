-- Model of the sync salesforce_customer_health: the scores of the last day, with
-- the customer's id beside the columns that the mapping uses.
SELECT
    customer_id,
    email,
    company_name,
    health_score_pct,
    customer_health_status,
    usage_score_pct,
    support_score_pct,
    health_score_updated_date
FROM recent_customer_health
