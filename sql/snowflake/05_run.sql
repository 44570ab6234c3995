-- 5. One CALL for a schedule or a person: begin, push, finish.
--
--     CALL penstock_run('sf_health');
--     CALL penstock_run('sf_health', 'full');

-- Which model a sync reads, and where it goes. List here what is applied: the
-- monitoring views ask about every sync in it.
CREATE TABLE IF NOT EXISTS penstock_models (
    sync             VARCHAR NOT NULL,
    model            VARCHAR NOT NULL,
    cursor_column    VARCHAR, -- grows with every change of a row; NULL: every run pushes all rows
    destination_name VARCHAR,
    destination_type VARCHAR
);

MERGE INTO penstock_models AS m
USING (
    SELECT column1 AS sync, column2 AS model, column3 AS cursor_column, column4 AS destination_name, column5 AS destination_type
    FROM VALUES
        ('sf_health', 'salesforce_customer_health_sync', 'updated_at', 'Salesforce', 'CRM'),
        ('slack_alerts', 'slack_health_alerts', 'alert_time', 'Slack', 'Notifications')
) AS given
ON m.sync = given.sync
WHEN NOT MATCHED THEN INSERT (sync, model, cursor_column, destination_name, destination_type)
    VALUES (given.sync, given.model, given.cursor_column, given.destination_name, given.destination_type);

-- The answers are counted, so the push cannot be optimised away. Rows whose cursor
-- equals the watermark are pushed once more, because rows with that very time may
-- have come later; those that were delivered are answered unchanged. While the last
-- run still goes on nothing is begun: the answer says status skipped, and why.
-- Whatever fails, the run is ended, so that the next call need not wait for it; the
-- error itself may quote a row's value, and stays in Snowflake.
CREATE OR REPLACE PROCEDURE penstock_run(sync VARCHAR, mode VARCHAR DEFAULT 'incremental')
    RETURNS VARIANT
    LANGUAGE SQL
    EXECUTE AS CALLER
AS
$$
DECLARE
    unknown_sync EXCEPTION (-20001, 'penstock_run: penstock_models has no row for this sync; insert its model first');
    known INTEGER;
    model VARCHAR;
    cursor_column VARCHAR;
    begun VARIANT;
    run VARCHAR;
    selection VARCHAR;
    watermark VARCHAR;
    statement VARCHAR;
    pushed RESULTSET;
    received INTEGER DEFAULT 0;
    queued INTEGER DEFAULT 0;
    rejected INTEGER DEFAULT 0;
    finished VARIANT;
BEGIN
    SELECT COUNT(*), MAX(m.model), MAX(m.cursor_column) INTO :known, :model, :cursor_column
        FROM penstock_models m WHERE m.sync = :sync;
    IF (known = 0) THEN
        RAISE unknown_sync;
    END IF;

    SELECT penstock_begin(:sync, :mode) INTO :begun;
    selection := begun:select::VARCHAR;
    IF (selection = 'wait') THEN
        RETURN OBJECT_CONSTRUCT('status', 'skipped', 'sync', sync, 'reason', begun:reason)::VARIANT;
    END IF;
    run := begun:run::VARCHAR;
    watermark := begun:watermark::VARCHAR;

    statement := 'SELECT COUNT(*) AS received, COUNT_IF(answer:status = ''queued'') AS queued, COUNT_IF(answer:status = ''rejected'') AS rejected'
        || ' FROM (SELECT penstock_push(?, OBJECT_CONSTRUCT_KEEP_NULL(m.*)::VARIANT) AS answer FROM IDENTIFIER(?) m';
    IF (selection = 'since' AND watermark IS NOT NULL AND cursor_column IS NOT NULL) THEN
        statement := statement || ' WHERE m.' || cursor_column || ' >= ?)';
        pushed := (EXECUTE IMMEDIATE :statement USING (run, model, watermark));
    ELSE
        statement := statement || ')';
        pushed := (EXECUTE IMMEDIATE :statement USING (run, model));
    END IF;
    FOR counts IN pushed DO
        received := counts.received;
        queued := counts.queued;
        rejected := counts.rejected;
    END FOR;

    SELECT penstock_finish(:run, :received) INTO :finished;
    RETURN OBJECT_CONSTRUCT('run', run, 'received', received, 'queued', queued, 'rejected', rejected, 'finish', finished)::VARIANT;
EXCEPTION
    WHEN OTHER THEN
        LET why VARCHAR := 'penstock_run failed: SQL state ' || sqlstate || ', code ' || sqlcode;
        IF (run IS NOT NULL) THEN
            SELECT penstock_cancel(:run, :why) INTO :finished;
        END IF;
        RAISE;
END;
$$;

-- Every hour, as a schedule would. Resume it when the first CALL has worked:
-- ALTER TASK penstock_sf_health RESUME;
CREATE TASK IF NOT EXISTS penstock_sf_health
    WAREHOUSE = {{.Warehouse}}
    SCHEDULE = 'USING CRON 0 * * * * UTC'
AS
    CALL penstock_run('sf_health');
