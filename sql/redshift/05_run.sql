-- 5. One CALL for a schedule or a person: begin, push, finish.
--
--     CALL {{.Schema}}.penstock_run('sf_health', 'incremental');
--     CALL {{.Schema}}.penstock_run('sf_health', 'full');
--     CALL {{.Schema}}.penstock_run('sf_health', 'dry_run');  -- counts what incremental would do

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
-- With changed_only rows are pushed whose hash is not in penstock_pushed, which is brought
-- up to date first; full and reset empty it.
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
    v_definition VARCHAR(32) := '';
    v_stale BIGINT := 0;
    v_version VARCHAR(255) := '';
    v_changed BOOLEAN := FALSE;
    v_keep_rows BOOLEAN := TRUE;
    v_here VARCHAR(255) := '{{.Schema}}';
    v_relation VARCHAR(1024) := '';
    v_since VARCHAR(65535) := '';
    v_cursor VARCHAR(255) := '';
    v_created_column VARCHAR(255) := '';
    v_always BOOLEAN := FALSE;
    v_watermark VARCHAR(65535) := '';
    v_type VARCHAR(16) := '';
    v_mark VARCHAR(65535) := '';
    v_made VARCHAR(65535) := '';
    v_selected VARCHAR(16) := '';
    v_status VARCHAR(32) := '';
    v_received BIGINT := 0;
    v_queued BIGINT := 0;
    v_rejected BIGINT := 0;
    v_superseded BIGINT := 0;
    v_blocked BIGINT := 0;
    v_created BIGINT := 0;
    v_updated BIGINT := 0;
    v_deleted BIGINT := 0;
    v_unchanged BIGINT := 0;
    v_calls FLOAT8 := 0;
    v_seconds FLOAT8 := 0;
    v_dollars FLOAT8 := 0;
    v_dry BOOLEAN := FALSE;
    v_step VARCHAR(32) := 'begin';
    v_reason VARCHAR(65535) := '';
    v_message VARCHAR(65535) := '';
    v_open BOOLEAN := FALSE;
BEGIN
    IF v_mode = 'cdc' THEN
        RAISE EXCEPTION '{{.NoStream}}';
    END IF;
    v_dry := COALESCE(v_mode = 'dry_run', FALSE);
    {{.Step "begin"}}
    v_selected := JSON_EXTRACT_PATH_TEXT(v_begun, 'select', TRUE);
    IF v_selected = 'wait' THEN
        v_status := 'skipped';
        v_reason := JSON_EXTRACT_PATH_TEXT(v_begun, 'reason', TRUE);
    ELSE
        v_run := JSON_EXTRACT_PATH_TEXT(v_begun, 'run', TRUE);
        v_open := NOT v_dry; -- a dry run has none
        v_gate := COALESCE(JSON_EXTRACT_PATH_TEXT(v_begun, 'gate', TRUE), '');
        IF v_gate <> '' THEN
            v_step := 'gate';
            EXECUTE 'SELECT JSON_SERIALIZE(OBJECT(''decision'', g.decision, ''total'', g.total, ''rules'', g.rules, ''definition'', g.definition)) FROM {{.Schema}}.'
                || QUOTE_IDENT(v_gate) || ' AS g' INTO v_verdict;
            IF v_dry THEN
                v_decision := COALESCE(JSON_EXTRACT_PATH_TEXT(v_verdict, 'decision', TRUE), '');
            ELSE
                {{.Step "gate verdict"}}
                v_decision := COALESCE(JSON_EXTRACT_PATH_TEXT(v_answer, 'decision', TRUE), '');
                v_status := JSON_EXTRACT_PATH_TEXT(v_answer, 'status', TRUE);
                v_reason := COALESCE(JSON_EXTRACT_PATH_TEXT(v_answer, 'reason', TRUE), '');
                v_open := v_status = 'open';
            END IF;
        END IF;
    END IF;

    IF v_open OR (v_dry AND v_status = '') THEN
        -- What the gate warns of, or begin.
        v_warning := COALESCE(NULLIF(v_reason, ''), JSON_EXTRACT_PATH_TEXT(v_begun, 'reason', TRUE), '');
        v_relation := '{{.Schema}}.' || QUOTE_IDENT('penstock_source_' || v_sync);
        v_version := JSON_EXTRACT_PATH_TEXT(v_begun, 'version', TRUE);
        v_changed := COALESCE(JSON_EXTRACT_PATH_TEXT(v_begun, 'changed_only', TRUE) = 'true', FALSE);
        v_keep_rows := COALESCE(JSON_EXTRACT_PATH_TEXT(v_begun, 'store_source', TRUE), '') <> 'none';
        v_always := JSON_EXTRACT_PATH_TEXT(v_begun, 'always', TRUE) = 'true';
        IF v_selected = 'since' THEN
            v_cursor := LOWER(JSON_EXTRACT_PATH_TEXT(v_begun, 'cursor', TRUE));
            v_created_column := LOWER(COALESCE(NULLIF(JSON_EXTRACT_PATH_TEXT(v_begun, 'created', TRUE), ''), v_cursor));
            v_watermark := JSON_EXTRACT_PATH_TEXT(v_begun, 'watermark', TRUE);
            v_type := JSON_EXTRACT_PATH_TEXT(v_begun, 'watermark_type', TRUE);
            IF v_type = 'timestamp' AND JSON_EXTRACT_PATH_TEXT(v_begun, 'watermark_zoned', TRUE) = 'true' THEN
                v_type := 'instant';
            END IF;
            -- Each kind of watermark compares as a type. TRY_CAST takes no empty text, and what
            -- it cannot read is null: pushed in every run. A date, which has no more than 12
            -- signs, says no more of when a row was made than the day.
            v_type := CASE v_type WHEN 'number' THEN 'FLOAT8' WHEN 'instant' THEN 'TIMESTAMPTZ' WHEN 'timestamp' THEN 'TIMESTAMP' WHEN 'text' THEN 'VARCHAR(65535)' ELSE '' END;
            IF v_type = 'VARCHAR(65535)' THEN
                v_since := ' WHERE COALESCE(m.' || QUOTE_IDENT(v_cursor) || '::VARCHAR(65535) >= ' || QUOTE_LITERAL(v_watermark) || ', TRUE)'
                    || ' OR m.' || QUOTE_IDENT(v_created_column) || '::VARCHAR(65535) >= ' || QUOTE_LITERAL(v_watermark);
            ELSIF v_type <> '' THEN
                v_mark := QUOTE_LITERAL(v_watermark) || '::' || v_type;
                v_made := CASE WHEN v_type = 'FLOAT8' THEN v_mark
                    ELSE 'CASE WHEN LEN(m.' || QUOTE_IDENT(v_created_column) || '::VARCHAR(65535)) <= 12 THEN DATE_TRUNC(''day'', ' || v_mark || ') ELSE ' || v_mark || ' END' END;
                v_since := ' WHERE COALESCE(TRY_CAST(NULLIF(TRIM(m.' || QUOTE_IDENT(v_cursor) || '::VARCHAR(65535)), '''') AS ' || v_type || ') >= ' || v_mark || ', TRUE)'
                    || ' OR TRY_CAST(NULLIF(TRIM(m.' || QUOTE_IDENT(v_created_column) || '::VARCHAR(65535)), '''') AS ' || v_type || ') >= ' || v_made;
            END IF;
            IF v_since <> '' AND v_always THEN
                v_since := v_since || ' OR m.penstock_always';
            END IF;
        END IF;
        v_definition := COALESCE(JSON_EXTRACT_PATH_TEXT(v_begun, 'definition', TRUE), '');
        IF v_definition <> '' THEN
            v_step := 'check';
            {{.Step "check"}}
            IF v_stale > 0 THEN
                RAISE EXCEPTION 'the view % is made of another definition: run penstock sql-setup again', v_relation;
            END IF;
        END IF;
        IF v_selected = 'changed' THEN
            v_step := 'refresh';
            CALL penstock_refresh();
        END IF;
    END IF;

    IF v_dry AND v_status = '' THEN
        v_step := 'plan';
        IF v_selected = 'changed' THEN
            {{.Step "plan what changed"}}
        ELSE
            {{.Step "plan"}}
        END IF;
        v_queued := v_received - v_rejected - v_superseded;
        v_status := 'planned';
        v_reason := v_warning;
    ELSIF v_open THEN
        IF v_changed THEN
            IF v_selected = 'all' THEN
                v_step := 'forget';
                {{.Step "forget"}}
                {{.Step "forget what is sent"}}
            END IF;
            v_step := 'push';
            {{.Step "push what changed"}}
            {{.Step "push: keep the receipts"}}
            v_step := 'note';
            {{.Step "note what is gone"}}
            {{.Step "leave out what is doubled"}}
        ELSE
            v_step := 'push';
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

    IF v_dry THEN
        summary := JSON_SERIALIZE(OBJECT(
            'sync', v_sync, 'run', NULLIF(v_run, ''), 'status', v_status, 'selected', NULLIF(v_selected, 'wait'),
            'received', v_received, 'queued', v_queued, 'rejected', v_rejected, 'superseded', v_superseded, 'blocked', v_blocked,
            'decision', NULLIF(v_decision, ''), 'reason', NULLIF(v_reason, ''),
            'created', v_created, 'updated', v_updated, 'deleted', v_deleted, 'unchanged', v_unchanged,
            'calls', v_calls, 'seconds', v_seconds, 'dollars', v_dollars
        ));
    ELSE
        -- The rows are pushed, whatever becomes of the tables.
        BEGIN
            {{.Step "tidy"}}
            CALL penstock_refresh();
        EXCEPTION
            WHEN OTHERS THEN
                v_reason := CASE WHEN v_reason = '' THEN '' ELSE v_reason || '; ' END || 'the monitoring tables were not refreshed, and what was pushed is pushed: ' || SQLERRM;
        END;
        summary := JSON_SERIALIZE(OBJECT(
            'sync', v_sync, 'run', NULLIF(v_run, ''), 'status', v_status, 'selected', NULLIF(v_selected, 'wait'),
            'received', v_received, 'queued', v_queued, 'rejected', v_rejected, 'superseded', v_superseded, 'blocked', v_blocked,
            'decision', NULLIF(v_decision, ''), 'reason', NULLIF(v_reason, '')
        ));
    END IF;
EXCEPTION
    WHEN OTHERS THEN
        v_message := 'penstock_run: ' || v_step || ': ' || SQLERRM;
        v_reason := 'penstock_run: ' || v_step || ': SQLSTATE ' || SQLSTATE;
        IF SQLSTATE = '42P01' AND v_step IN ('push', 'plan', 'gate') THEN
            v_reason := v_reason || ': the view ' || CASE WHEN v_step = 'gate' THEN v_gate ELSE 'penstock_source_' || v_sync END
                || ' or what it reads is gone: run the statements of penstock sql-setup again';
        END IF;
        IF v_step = 'check' THEN
            v_reason := v_reason || ': the view penstock_source_' || v_sync || ' is made of another definition: run penstock sql-setup again, with --syncs';
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
