-- Model of the sync sf_health: one row per customer. The view does the work and is
-- written for each warehouse (sql/duckdb, sql/snowflake); this statement is the
-- same on all of them, and names every column that sf_health.yaml uses. The last one
-- says whether the customer is gone.
SELECT
    customer_id,
    email,
    company_name,
    health_score_percentage,
    health_status_description,
    daily_active_users,
    feature_adoption_pct,
    monthly_recurring_revenue,
    renewal_probability_pct,
    support_tickets_last_30d,
    days_since_last_login,
    score_confidence_pct,
    health_score_calculated_at,
    recommended_action,
    updated_at,
    should_delete_from_destination
FROM salesforce_customer_health_sync
