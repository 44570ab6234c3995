-- Model of the sync slack_alerts: one row per alert of the last hour. The first
-- three columns are the record id, so that an alert is posted once.
SELECT
    customer_id,
    alert_type,
    alert_time,
    email,
    company_name,
    slack_message
FROM slack_health_alerts
