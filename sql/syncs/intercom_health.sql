-- Model of the sync intercom_health: one row per customer with an address. The view
-- makes the object of attributes and the list of tags (sql/duckdb, sql/snowflake).
SELECT
    customer_id,
    user_email,
    health_score_decimal,
    risk_category,
    custom_attributes,
    user_tags,
    updated_at,
    should_delete_from_destination
FROM intercom_customer_health_sync
