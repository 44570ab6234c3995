-- 7. Changes instead of scans: a stream and a task that pushes what changed. Only with
-- --streams: a stream that nobody reads goes stale, and holds its table's old data back
-- from being purged meanwhile.
--
-- A stream moves on only when a DML statement that reads it commits; a bare SELECT
-- never moves it. So the answers are inserted into the receipts. One DML consumes the
-- whole stream, even what its WHERE leaves out. When the statement is rolled back,
-- rows that were already pushed stay pushed, and the next run pushes them again under
-- new batch ids: they are answered unchanged, because Penstock also knows each record
-- by its key.
CREATE STREAM IF NOT EXISTS customer_health_changes ON TABLE customer_health_comprehensive;

-- A triggered task: it has no schedule, and runs when the stream has rows, at most once
-- a minute, one run at a time. It costs nothing while nothing changes. A health check
-- every 12 hours or so, and a stream that says falsely that it has rows, push nothing.
--
-- SUSPEND_TASK_AFTER_NUM_FAILURES = 60: a task that fails is triggered again, since its
-- stream still has the rows, so that a failure would cost a minute's warehouse every
-- minute, for ever with 0. An hour of failures outlasts a deployment and a short
-- outage; after that a person resumes it, and nothing is lost: the rows are in the
-- stream. USER_TASK_TIMEOUT_MS is an hour: far more than a minute's changes take, and
-- less than the time after which Snowflake calls a stream stale (14 days at most).
--
-- An older task of this name with a schedule is changed by hand:
--     ALTER TASK penstock_sf_health_changes SUSPEND;
--     ALTER TASK penstock_sf_health_changes UNSET SCHEDULE;
--     ALTER TASK penstock_sf_health_changes RESUME;
--
-- METADATA$ACTION is INSERT for new rows and for the new side of an update; a
-- DELETE is the old side of one, or a deleted row, which sf_health leaves alone.
CREATE TASK IF NOT EXISTS penstock_sf_health_changes
    WAREHOUSE = {{.Warehouse}}
    USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS = 60
    SUSPEND_TASK_AFTER_NUM_FAILURES = 60
    USER_TASK_TIMEOUT_MS = 3600000
    WHEN SYSTEM$STREAM_HAS_DATA('customer_health_changes')
AS
    INSERT INTO penstock_receipts (sync, answer)
    SELECT 'sf_health', penstock_push('sf_health', OBJECT_CONSTRUCT_KEEP_NULL(m.*)::VARIANT)
    FROM sf_health AS m
    WHERE m.customer_id IN (SELECT customer_id FROM customer_health_changes WHERE METADATA$ACTION = 'INSERT');
