-- 9. The sample's schedule. A task is made suspended: resume it when the first CALL has
-- worked: ALTER TASK penstock_sf_health RESUME;
--
-- SUSPEND_TASK_AFTER_NUM_FAILURES = 0: ten failures in a row, the default, would be a
-- night without Penstock, and then nothing would run until a person resumes it. A
-- failed run costs seconds an hour, and reverse_etl_alerts says that the sync is
-- overdue. USER_TASK_TIMEOUT_MS is three hours, as long as Penstock waits for a run's
-- first row: by the default of one hour the first full run of a large model would be
-- cut off, and without a limit a statement that hangs would keep all later runs from
-- starting. One run at a time: Snowflake starts no second one meanwhile.
CREATE TASK IF NOT EXISTS penstock_sf_health
    WAREHOUSE = {{.Warehouse}}
    SCHEDULE = 'USING CRON 0 * * * * UTC'
    SUSPEND_TASK_AFTER_NUM_FAILURES = 0
    USER_TASK_TIMEOUT_MS = 10800000
AS
    CALL penstock_run('sf_health');
