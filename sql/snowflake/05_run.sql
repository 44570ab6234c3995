-- 5. One CALL for a schedule or a person: begin, gate, push, finish.
--
--     CALL penstock_run('sf_health');
--     CALL penstock_run('sf_health', 'full');
--     CALL penstock_run('sf_health', 'cdc');      -- consumes the definition's stream
--     CALL penstock_run('sf_health', 'dry_run');  -- counts what incremental would do

-- What penstock_push answered in a run of penstock_run, row by row, for 7 days: the
-- stored answers are counted, so that the push cannot be optimised away.
CREATE TABLE IF NOT EXISTS penstock_receipts (
    sync      VARCHAR,
    run       VARCHAR, -- NULL: pushed without a run
    pushed_at TIMESTAMP_NTZ DEFAULT SYSDATE(),
    answer    VARIANT
);
{{.Pusher "SELECT, INSERT, DELETE ON TABLE penstock_receipts"}}
{{.Pusher "SELECT, INSERT, UPDATE, DELETE ON TABLE penstock_pushed"}}
{{.Pusher "SELECT, INSERT, DELETE ON TABLE penstock_pushing"}}

-- While the last run still goes on nothing is begun: the answer says status skipped,
-- and why. Rows whose cursor equals the watermark are pushed once more, because rows
-- with that very value may have come later; those that were delivered are answered
-- unchanged. Rows without a cursor are pushed in every run, since no watermark finds
-- them. The model and the watermark's type are those of the version that begin pinned,
-- and so is the view that is read in the model's place, penstock_source_SYNC, where the
-- definition adds SQL: one of another definition ends the run.
--
-- With changed_only rows are pushed whose hash is not in penstock_pushed, which is brought
-- up to date first; full and reset empty it. Once a stream is consumed nothing pushes its
-- rows again: so a failure after that leaves the run open, and its rows are delivered. Of
-- a record that was deleted and inserted again its deletion is not pushed: the two rows
-- may be in two batches, of which either may come last.
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
    definition VARCHAR DEFAULT NULL;
    stale INTEGER DEFAULT 0;
    version VARCHAR DEFAULT NULL;
    stream VARCHAR DEFAULT NULL;
    match_key VARCHAR DEFAULT NULL;
    changed_only BOOLEAN DEFAULT FALSE;
    keep_rows BOOLEAN DEFAULT TRUE;
    always BOOLEAN DEFAULT FALSE;
    taken BOOLEAN DEFAULT FALSE;
    cursor_key VARCHAR DEFAULT NULL;
    created_key VARCHAR DEFAULT NULL;
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
    created INTEGER DEFAULT NULL;
    updated INTEGER DEFAULT NULL;
    deleted INTEGER DEFAULT NULL;
    unchanged INTEGER DEFAULT NULL;
    calls DOUBLE DEFAULT NULL;
    seconds DOUBLE DEFAULT NULL;
    dollars DOUBLE DEFAULT NULL;
    step VARCHAR DEFAULT 'begin';
    reason VARCHAR DEFAULT NULL;
    is_open BOOLEAN DEFAULT FALSE;
    other_definition EXCEPTION (-20002, 'the view that the rows are read from is made of another definition: run penstock sql-setup again');
BEGIN
    {{.Step "begin"}}
    IF (GET(begun, 'select')::VARCHAR = 'wait') THEN
        status := 'skipped';
        reason := GET(begun, 'reason')::VARCHAR;
    ELSE
        run := GET(begun, 'run')::VARCHAR;
        is_open := run IS NOT NULL; -- a dry run has none
        gate := GET(begun, 'gate')::VARCHAR;
        IF (gate IS NOT NULL) THEN
            step := 'gate';
            {{.Step "gate"}}
            IF (is_open) THEN
                {{.Step "gate verdict"}}
                decision := GET(answer, 'decision')::VARCHAR;
                status := GET(answer, 'status')::VARCHAR;
                reason := GET(answer, 'reason')::VARCHAR;
                is_open := (status = 'open');
            ELSE
                decision := GET(verdict, 'decision')::VARCHAR;
            END IF;
        END IF;
    END IF;

    IF (is_open OR (mode = 'dry_run' AND status IS NULL)) THEN
        warning := COALESCE(reason, GET(begun, 'reason')::VARCHAR); -- what the gate warns of, or begin
        model := COALESCE(GET(begun, 'source')::VARCHAR, GET(begun, 'model')::VARCHAR);
        version := GET(begun, 'version')::VARCHAR;
        selected := GET(begun, 'select')::VARCHAR;
        stream := GET(begun, 'stream')::VARCHAR;
        match_key := GET(begun, 'match')::VARCHAR;
        changed_only := COALESCE(GET(begun, 'changed_only')::BOOLEAN, FALSE);
        keep_rows := COALESCE(GET(begun, 'store_source')::VARCHAR, '') <> 'none';
        always := COALESCE(GET(begun, 'always')::BOOLEAN, FALSE);
        IF (selected = 'since') THEN
            cursor_key := UPPER(GET(begun, 'cursor')::VARCHAR);
            created_key := UPPER(COALESCE(GET(begun, 'created')::VARCHAR, GET(begun, 'cursor')::VARCHAR));
            watermark := GET(begun, 'watermark')::VARCHAR;
            watermark_type := GET(begun, 'watermark_type')::VARCHAR;
            zoned := COALESCE(GET(begun, 'watermark_zoned')::BOOLEAN, FALSE);
        END IF;
        definition := GET(begun, 'definition')::VARCHAR;
        IF (definition IS NOT NULL) THEN
            step := 'check';
            {{.Step "check"}}
            IF (stale > 0) THEN
                RAISE other_definition;
            END IF;
        END IF;
        IF (selected = 'changed') THEN
            step := 'refresh';
            CALL penstock_refresh();
        END IF;

        IF (mode = 'dry_run') THEN
            step := 'plan';
            IF (selected = 'changed') THEN
                {{.Step "plan what changed"}}
            ELSEIF (watermark_type = 'number') THEN
                {{.Step "plan since a number"}}
            ELSEIF (watermark_type = 'timestamp' AND zoned) THEN
                {{.Step "plan since a timestamp with a zone"}}
            ELSEIF (watermark_type = 'timestamp') THEN
                {{.Step "plan since a timestamp without a zone"}}
            ELSEIF (watermark_type = 'text') THEN
                {{.Step "plan since a text"}}
            ELSE
                {{.Step "plan"}}
            END IF;
            queued := received - rejected - superseded;
            RETURN OBJECT_CONSTRUCT_KEEP_NULL(
                'sync', sync, 'run', run, 'status', 'planned', 'selected', selected, 'decision', decision,
                'received', received, 'queued', queued, 'rejected', rejected, 'superseded', superseded, 'blocked', blocked,
                'reason', reason, 'created', created, 'updated', updated, 'deleted', deleted, 'unchanged', unchanged,
                'calls', calls, 'seconds', seconds, 'dollars', dollars
            )::VARIANT;
        END IF;

        IF (changed_only) THEN
            IF (selected = 'all') THEN
                step := 'forget';
                {{.Step "forget"}}
                {{.Step "forget what is sent"}}
            END IF;
            step := 'push';
            {{.Step "push what changed"}}
            {{.Step "push: keep the receipts"}}
            step := 'note';
            {{.Step "note what is gone"}}
            {{.Step "leave out what is doubled"}}
        ELSEIF (selected = 'stream') THEN
            step := 'push';
            model := stream;
            {{.Step "push a stream"}}
            taken := TRUE;
        ELSE
            step := 'push';
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
            || IFF(step = 'check', ': run penstock sql-setup again, with --syncs', '')
            || '; the message is in the query history of the account', 480); -- Penstock keeps 500 bytes
        IF (is_open AND NOT taken) THEN
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
