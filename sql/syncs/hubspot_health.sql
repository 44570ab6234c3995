-- Model of the sync hubspot_health: one row per customer, with what it is worth.
SELECT
    customer_id,
    email,
    ltv_usd,
    ltv_segment,
    updated_at,
    should_delete_from_destination
FROM hubspot_customer_health_sync
