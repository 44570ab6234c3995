-- The model of the sync slack_alerts: one row per alert of the last hour. The view
-- is in sql/<dialect>.
SELECT
    customer_id,
    email,
    company_name,
    alert_type,
    slack_message,
    alert_time
FROM slack_health_alerts
