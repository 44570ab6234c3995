-- Model of the sync amplitude_health: one row per customer, with how it uses the
-- product.
SELECT
    customer_id,
    daily_active_users,
    feature_adoption,
    api_calls_trend,
    updated_at,
    should_delete_from_destination
FROM amplitude_customer_health_sync
