-- 7. Changes instead of scans: a stream and a task that pushes what changed.
--
-- A stream moves on only when a DML statement that reads it commits; a bare
-- SELECT never moves it. So the answers are inserted into a log. One DML consumes
-- the whole stream, even what its WHERE leaves out. When the statement is rolled
-- back, rows that were already pushed stay pushed, and the next run pushes them
-- again under new batch ids: they are answered unchanged, because Penstock also
-- knows each record by its key.
CREATE STREAM IF NOT EXISTS customer_health_changes ON TABLE customer_health_comprehensive;

CREATE TABLE IF NOT EXISTS penstock_push_log (
    pushed_at   TIMESTAMP_NTZ DEFAULT SYSDATE(),
    sync        VARCHAR,
    customer_id VARCHAR,
    answer      VARIANT
);

-- METADATA$ACTION is INSERT for new rows and for the new side of an update; a
-- DELETE is the old side of one, or a deleted row, which sf_health leaves alone.
CREATE TASK IF NOT EXISTS penstock_sf_health_changes
    WAREHOUSE = {{.Warehouse}}
    SCHEDULE = '5 MINUTE'
    WHEN SYSTEM$STREAM_HAS_DATA('customer_health_changes')
AS
    INSERT INTO penstock_push_log (sync, customer_id, answer)
    SELECT 'sf_health', m.customer_id, penstock_push('sf_health', OBJECT_CONSTRUCT_KEEP_NULL(m.*)::VARIANT)
    FROM salesforce_customer_health_sync m
    WHERE m.customer_id IN (SELECT customer_id FROM customer_health_changes WHERE METADATA$ACTION = 'INSERT');
