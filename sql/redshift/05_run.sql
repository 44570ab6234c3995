-- 5. One CALL for a schedule or a person: begin, push, finish.
--
--     CALL {{.Schema}}.penstock_run('sf_health', 'incremental');
--     CALL {{.Schema}}.penstock_run('sf_health', 'full');

-- What penstock_push answered in a run of penstock_run, row by row, for 7 days: the
-- stored answers are counted, so that the push cannot be left out.
CREATE TABLE IF NOT EXISTS penstock_receipts (
    sync      VARCHAR(255),
    run       VARCHAR(255),
    pushed_at TIMESTAMP DEFAULT {{default}},
    answer    VARCHAR(65535)
);
{{.Pusher "SELECT, INSERT, DELETE ON TABLE penstock_receipts"}}

-- It answers a row with the column summary, a JSON object. While the last run still goes
-- on nothing is begun: the summary says status skipped, and why. It reads the view
-- penstock_source_SYNC; rows whose cursor equals the watermark are pushed once more,
-- because rows with that very value may have come later, and those without a cursor in
-- every run. Only the names of that view, of the gate's and of the cursor are put into a
-- text.
--
-- Where the sync's definition has quality, its gate's view is asked before the first
-- push. BLOCK_SYNC ends the run: nothing is pushed, the summary says status blocked, and
-- why. WARN_CONTINUE goes on, and the summary says of what it warns. A view that was made
-- of another definition ends the run as failed: run penstock sql-setup again.
--
-- NONATOMIC: each statement commits, so that the receipts stay, and a handler may go on.
-- Whatever fails, the run is closed with its reason, so that the next one need not wait
-- for it; a cancelled query reaches no handler, and the next run takes such a run over
-- after an hour. The message of an error may quote a row's value and stays in Redshift:
-- the reason names step and SQLSTATE.
CREATE OR REPLACE PROCEDURE penstock_run(v_sync IN VARCHAR(255), v_mode IN VARCHAR(32), summary OUT VARCHAR(65535))
    NONATOMIC
AS
$$
DECLARE
    v_begun VARCHAR(65535) := '';
    v_answer VARCHAR(65535) := '';
    v_run VARCHAR(255) := '';
    v_gate VARCHAR(255) := '';
    v_verdict VARCHAR(65535) := '';
    v_decision VARCHAR(32) := '';
    v_warning VARCHAR(65535) := '';
    v_insert VARCHAR(65535) := '';
    v_cursor VARCHAR(255) := '';
    v_created_column VARCHAR(255) := '';
    v_always BOOLEAN := FALSE;
    v_watermark VARCHAR(65535) := '';
    v_type VARCHAR(16) := '';
    v_selected VARCHAR(16) := '';
    v_status VARCHAR(32) := '';
    v_received BIGINT := 0;
    v_queued BIGINT := 0;
    v_rejected BIGINT := 0;
    v_superseded BIGINT := 0;
    v_blocked BIGINT := 0;
    v_step VARCHAR(32) := 'begin';
    v_reason VARCHAR(65535) := '';
    v_message VARCHAR(65535) := '';
    v_open BOOLEAN := FALSE;
BEGIN
    IF v_mode = 'cdc' THEN
        RAISE EXCEPTION '{{.NoStream}}';
    ELSIF v_mode = 'dry_run' THEN
        RAISE EXCEPTION 'mode dry_run: plan rows with SELECT penstock_plan(sync, r) FROM penstock_source_SYNC, or with penstock plan';
    END IF;
    {{.Step "begin"}}
    v_selected := JSON_EXTRACT_PATH_TEXT(v_begun, 'select', TRUE);
    IF v_selected = 'wait' THEN
        v_status := 'skipped';
        v_reason := JSON_EXTRACT_PATH_TEXT(v_begun, 'reason', TRUE);
    ELSE
        v_run := JSON_EXTRACT_PATH_TEXT(v_begun, 'run', TRUE);
        v_open := TRUE;
        v_gate := COALESCE(JSON_EXTRACT_PATH_TEXT(v_begun, 'gate', TRUE), '');
        IF v_gate <> '' THEN
            v_step := 'gate';
            EXECUTE 'SELECT JSON_SERIALIZE(OBJECT(''decision'', g.decision, ''total'', g.total, ''rules'', g.rules, ''definition'', g.definition)) FROM {{.Schema}}.'
                || QUOTE_IDENT(v_gate) || ' AS g' INTO v_verdict;
            {{.Step "gate verdict"}}
            v_decision := COALESCE(JSON_EXTRACT_PATH_TEXT(v_answer, 'decision', TRUE), '');
            v_status := JSON_EXTRACT_PATH_TEXT(v_answer, 'status', TRUE);
            v_reason := COALESCE(JSON_EXTRACT_PATH_TEXT(v_answer, 'reason', TRUE), '');
            v_open := v_status = 'open';
        END IF;
    END IF;

    IF v_open THEN
        v_warning := v_reason; -- what the gate warns of
        v_step := 'push';
        v_insert := 'INSERT INTO {{.Schema}}.penstock_receipts (sync, run, answer) SELECT ' || QUOTE_LITERAL(v_sync) || ', ' || QUOTE_LITERAL(v_run)
            || ', {{.Schema}}.penstock_push(' || QUOTE_LITERAL(v_run) || ', m.r) FROM {{.Schema}}.' || QUOTE_IDENT('penstock_source_' || v_sync) || ' AS m';
        IF v_selected = 'since' THEN
            v_cursor := LOWER(JSON_EXTRACT_PATH_TEXT(v_begun, 'cursor', TRUE));
            v_created_column := LOWER(COALESCE(NULLIF(JSON_EXTRACT_PATH_TEXT(v_begun, 'created', TRUE), ''), v_cursor));
            v_always := JSON_EXTRACT_PATH_TEXT(v_begun, 'always', TRUE) = 'true';
            v_watermark := JSON_EXTRACT_PATH_TEXT(v_begun, 'watermark', TRUE);
            v_type := JSON_EXTRACT_PATH_TEXT(v_begun, 'watermark_type', TRUE);
            IF JSON_EXTRACT_PATH_TEXT(v_begun, 'watermark_zoned', TRUE) = 'true' THEN
                v_type := 'instant';
            END IF;
        END IF;

        IF v_type = 'number' THEN
            {{.Step "push since a number"}}
        ELSIF v_type = 'instant' THEN
            {{.Step "push since a timestamp with a zone"}}
        ELSIF v_type = 'timestamp' THEN
            {{.Step "push since a timestamp without a zone"}}
        ELSIF v_type = 'text' THEN
            {{.Step "push since a text"}}
        ELSE
            {{.Step "push"}}
        END IF;

        v_step := 'count';
        {{.Step "count"}}
        v_step := 'finish';
        {{.Step "finish"}}
        v_open := FALSE;
        v_status := JSON_EXTRACT_PATH_TEXT(v_answer, 'status', TRUE);
        v_reason := COALESCE(NULLIF(JSON_EXTRACT_PATH_TEXT(v_answer, 'reason', TRUE), ''), v_warning);
    END IF;

    -- The rows are pushed, whatever becomes of the tables.
    BEGIN
        {{.Step "tidy"}}
        CALL penstock_refresh();
    EXCEPTION
        WHEN OTHERS THEN
            v_reason := 'the monitoring tables were not refreshed, and the rows are pushed: ' || SQLERRM;
    END;
    summary := JSON_SERIALIZE(OBJECT(
        'sync', v_sync, 'run', NULLIF(v_run, ''), 'status', v_status, 'selected', NULLIF(v_selected, 'wait'),
        'received', v_received, 'queued', v_queued, 'rejected', v_rejected, 'superseded', v_superseded, 'blocked', v_blocked,
        'decision', NULLIF(v_decision, ''), 'reason', NULLIF(v_reason, '')
    ));
EXCEPTION
    WHEN OTHERS THEN
        v_message := 'penstock_run: ' || v_step || ': ' || SQLERRM;
        v_reason := 'penstock_run: ' || v_step || ': SQLSTATE ' || SQLSTATE;
        IF SQLSTATE = '42P01' AND v_step IN ('push', 'gate') THEN
            v_reason := v_reason || ': the view ' || CASE WHEN v_step = 'gate' THEN v_gate ELSE 'penstock_source_' || v_sync END
                || ' or what it reads is gone: run the statements of penstock sql-setup again';
        END IF;
        v_reason := v_reason || '; the message is in the error of the CALL';
        IF v_open THEN
            BEGIN
                {{.Step "cancel"}}
            EXCEPTION
                WHEN OTHERS THEN
                    v_open := FALSE; -- Penstock cannot be reached: the next run takes this one over
            END;
        END IF;
        BEGIN
            CALL penstock_refresh();
        EXCEPTION
            WHEN OTHERS THEN
                v_open := FALSE; -- what failed before is what counts
        END;
        RAISE EXCEPTION '%', v_message;
END;
$$ LANGUAGE plpgsql;
REVOKE ALL ON PROCEDURE penstock_run(VARCHAR, VARCHAR) FROM PUBLIC;
{{.Pusher "EXECUTE ON PROCEDURE penstock_run(VARCHAR, VARCHAR)"}}
