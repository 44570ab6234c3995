-- 5. One CALL for a schedule or a person: begin, gate, push, finish.
--
--     CALL penstock_run('sf_health');
--     CALL penstock_run('sf_health', 'full');

-- What penstock_push answered in a run of penstock_run, row by row, for 7 days: the
-- stored answers are counted, so that the push cannot be optimised away.
CREATE TABLE IF NOT EXISTS penstock_receipts (
    sync      VARCHAR,
    run       VARCHAR, -- NULL: pushed without a run
    pushed_at TIMESTAMP_NTZ DEFAULT SYSDATE(),
    answer    VARIANT
);
{{.Pusher "SELECT, INSERT, DELETE ON TABLE penstock_receipts"}}

-- While the last run still goes on nothing is begun: the answer says status skipped,
-- and why. Rows whose cursor equals the watermark are pushed once more, because rows
-- with that very value may have come later; those that were delivered are answered
-- unchanged. Rows without a cursor are pushed in every run, since no watermark finds
-- them. The model and the watermark's type are those of the version that begin pinned.
--
-- Where the sync's definition has quality, its gate's view is asked before the first
-- push. BLOCK_SYNC ends the run: nothing is pushed, the answer says status blocked, and
-- why; the next run may begin at once. WARN_CONTINUE goes on, and the answer says of what
-- it warns. A view that was made of another definition ends the run as failed: run
-- penstock sql-setup again.
--
-- Whatever fails, the run is closed with its reason, so that the next one need not
-- wait for it: a missing model, a column that is gone, a refused push or finish. A
-- cancelled or timed-out statement reaches no handler; the next run takes such a run
-- over after an hour. SQLERRM may quote a row's value and stays in Snowflake: the
-- reason names step, model, SQLSTATE and code.
CREATE OR REPLACE PROCEDURE penstock_run(sync VARCHAR, mode VARCHAR DEFAULT 'incremental')
    RETURNS VARIANT
    LANGUAGE SQL
    EXECUTE AS {{.RunAs}}
AS
$$
DECLARE
    begun VARIANT DEFAULT NULL;
    answer VARIANT DEFAULT NULL;
    run VARCHAR DEFAULT NULL;
    model VARCHAR DEFAULT NULL;
    gate VARCHAR DEFAULT NULL;
    verdict VARIANT DEFAULT NULL;
    decision VARCHAR DEFAULT NULL;
    warning VARCHAR DEFAULT NULL;
    cursor_key VARCHAR DEFAULT NULL;
    watermark VARCHAR DEFAULT NULL;
    watermark_type VARCHAR DEFAULT NULL;
    zoned BOOLEAN DEFAULT FALSE;
    selected VARCHAR DEFAULT NULL;
    status VARCHAR DEFAULT NULL;
    received INTEGER DEFAULT 0;
    queued INTEGER DEFAULT 0;
    rejected INTEGER DEFAULT 0;
    superseded INTEGER DEFAULT 0;
    blocked INTEGER DEFAULT 0;
    step VARCHAR DEFAULT 'begin';
    reason VARCHAR DEFAULT NULL;
    is_open BOOLEAN DEFAULT FALSE;
BEGIN
    {{.Step "begin"}}
    IF (GET(begun, 'select')::VARCHAR = 'wait') THEN
        status := 'skipped';
        reason := GET(begun, 'reason')::VARCHAR;
    ELSE
        run := GET(begun, 'run')::VARCHAR;
        is_open := TRUE;
        gate := GET(begun, 'gate')::VARCHAR;
        IF (gate IS NOT NULL) THEN
            step := 'gate';
            {{.Step "gate"}}
            {{.Step "gate verdict"}}
            decision := GET(answer, 'decision')::VARCHAR;
            status := GET(answer, 'status')::VARCHAR;
            reason := GET(answer, 'reason')::VARCHAR;
            is_open := (status = 'open');
        END IF;
    END IF;

    IF (is_open) THEN
        warning := reason; -- what the gate warns of
        step := 'push';
        model := GET(begun, 'model')::VARCHAR;
        selected := GET(begun, 'select')::VARCHAR;
        IF (selected = 'since') THEN
            cursor_key := UPPER(GET(begun, 'cursor')::VARCHAR);
            watermark := GET(begun, 'watermark')::VARCHAR;
            watermark_type := GET(begun, 'watermark_type')::VARCHAR;
            zoned := COALESCE(GET(begun, 'watermark_zoned')::BOOLEAN, FALSE);
        END IF;

        IF (watermark_type = 'number') THEN
            {{.Step "push since a number"}}
        ELSEIF (watermark_type = 'timestamp' AND zoned) THEN
            {{.Step "push since a timestamp with a zone"}}
        ELSEIF (watermark_type = 'timestamp') THEN
            {{.Step "push since a timestamp without a zone"}}
        ELSEIF (watermark_type = 'text') THEN
            {{.Step "push since a text"}}
        ELSE
            {{.Step "push"}}
        END IF;

        step := 'count';
        {{.Step "count"}}
        step := 'finish';
        {{.Step "finish"}}
        is_open := FALSE;
        status := GET(answer, 'status')::VARCHAR;
        reason := COALESCE(GET(answer, 'reason')::VARCHAR, warning);
    END IF;

    -- The rows are pushed, whatever becomes of the tables.
    BEGIN
        {{.Step "tidy"}}
        CALL penstock_refresh();
    EXCEPTION
        WHEN OTHER THEN
            reason := COALESCE(reason || '; ', '') || 'the monitoring tables were not refreshed, and what was pushed is pushed: ' || SQLERRM;
    END;
    RETURN OBJECT_CONSTRUCT_KEEP_NULL(
        'sync', sync, 'run', run, 'status', status, 'selected', selected,
        'received', received, 'queued', queued, 'rejected', rejected, 'superseded', superseded, 'blocked', blocked,
        'decision', decision, 'reason', reason
    )::VARIANT;
EXCEPTION
    WHEN OTHER THEN
        reason := LEFT('penstock_run: ' || step || IFF(step = 'push', ' of the model ' || COALESCE(model, '?'), '')
            || ': SQLSTATE ' || COALESCE(SQLSTATE, '?') || ', code ' || SQLCODE
            || IFF(step = 'push' AND SQLSTATE = '42S02', ': the model does not exist, or this role may not read it', '')
            || IFF(step = 'gate' AND SQLSTATE = '42S02', ': the view ' || COALESCE(gate, '?') || ' does not exist: run penstock sql-setup again', '')
            || '; the message is in the query history of the account', 480); -- Penstock keeps 500 bytes
        IF (is_open) THEN
            BEGIN
                {{.Step "cancel"}}
            EXCEPTION
                WHEN OTHER THEN
                    is_open := FALSE; -- Penstock cannot be reached: the next run takes this one over
            END;
        END IF;
        BEGIN
            CALL penstock_refresh();
        EXCEPTION
            WHEN OTHER THEN
                is_open := FALSE; -- what failed before is what counts
        END;
        RAISE;
END;
$$;
{{.Pusher "USAGE ON PROCEDURE penstock_run(VARCHAR, VARCHAR)"}}
