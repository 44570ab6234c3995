INSERT INTO reverse_etl_sync_state (sync_name, last_successful_run)
VALUES ('salesforce_customer_health', '1900-01-01 00:00:00');

INSERT INTO multi_destination_sync_state
(sync_id, destination_name, destination_type, last_successful_sync)
VALUES
('sf_health', 'Salesforce', 'CRM', '1900-01-01'),
('intercom_health', 'Intercom', 'Support', '1900-01-01'),
('slack_alerts', 'Slack', 'Notifications', '1900-01-01');

SELECT sync_name, minutes_since_last_sync, freshness_status
FROM reverse_etl_sync_health
WHERE freshness_status IN ('WARNING', 'STALE');

SELECT * FROM (
SELECT
'reverse_etl_alert' as alert_type,
sync_name,
CASE
WHEN DATEDIFF(hour, last_successful_run, GETDATE()) > 4
THEN 'Sync overdue: ' || sync_name || ' last ran ' ||
DATEDIFF(hour, last_successful_run, GETDATE())::VARCHAR(20) || ' hours ago'
WHEN ABS(record_count_change) > (previous_record_count * 0.5) AND previous_record_count > 100
THEN 'Record count anomaly: ' || sync_name || ' synced ' ||
last_synced_record_count || ' records vs ' || previous_record_count || ' previous'
WHEN error_rate > 0.1
THEN 'High error rate: ' || sync_name || ' has ' ||
ROUND(error_rate * 100, 1) || '% error rate'
END as alert_message,
GETDATE() as alert_time
FROM reverse_etl_sync_health
LEFT JOIN (
SELECT
sync_name,
COUNT(*)::FLOAT / NULLIF(last_synced_record_count, 0) as error_rate
FROM reverse_etl_sync_errors e
JOIN reverse_etl_sync_state s ON e.sync_run_id LIKE '%' || s.sync_name || '%'
WHERE e.occurred_at >= GETDATE() - INTERVAL '1 HOUR'
GROUP BY sync_name, last_synced_record_count
) error_rates USING (sync_name)
) AS alerts
WHERE alert_message IS NOT NULL;

SELECT * FROM (
SELECT
destination_name,
destination_type,
DATEDIFF(minute, last_successful_sync, GETDATE()) as minutes_since_last_sync,
CASE
WHEN records_processed > 0 THEN
ROUND(records_succeeded::FLOAT / records_processed * 100, 1)
ELSE NULL
END as success_rate_pct,
CASE
WHEN sync_duration_seconds > 0 AND records_processed > 0 THEN
ROUND(records_processed::FLOAT / sync_duration_seconds, 2)
ELSE NULL
END as records_per_second,
CASE
WHEN DATEDIFF(hour, last_successful_sync, GETDATE()) > 6 THEN 'STALE'
WHEN records_failed::FLOAT / NULLIF(records_processed, 0) > 0.1 THEN 'HIGH_ERROR_RATE'
WHEN DATEDIFF(hour, last_successful_sync, GETDATE()) > 2 THEN 'WARNING'
ELSE 'HEALTHY'
END as health_status,
last_successful_sync,
error_summary
FROM multi_destination_sync_state
) AS dashboard
ORDER BY
CASE health_status
WHEN 'STALE' THEN 1
WHEN 'HIGH_ERROR_RATE' THEN 2
WHEN 'WARNING' THEN 3
ELSE 4
END,
destination_name;

SELECT sync_name, last_successful_run,
LAG(last_synced_record_count) OVER (PARTITION BY sync_name ORDER BY updated_at) as previous_record_count
FROM reverse_etl_sync_state
ORDER BY sync_name;

SELECT DISTINCT record_id
FROM reverse_etl_sync_errors
WHERE sync_run_id LIKE '%sf_health%'
AND occurred_at >= GETDATE() - INTERVAL '24 HOURS';

SELECT COALESCE(MAX(last_successful_sync), '1900-01-01')
FROM multi_destination_sync_state
WHERE sync_id = 'sf_health';
