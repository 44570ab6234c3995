-- 5. One CALL for a schedule or a person: begin, gate, push, finish.
--
--     CALL {{.Dataset}}.penstock_run('sf_health', 'incremental');
--     CALL {{.Dataset}}.penstock_run('sf_health', 'full');
--     CALL {{.Dataset}}.penstock_run('sf_health', 'dry_run');  -- counts what incremental would do

-- What penstock_push answered in a run of penstock_run, row by row, for 7 days: the
-- stored answers are counted, so that the push cannot be left out.
CREATE TABLE IF NOT EXISTS penstock_receipts (
    sync      STRING,
    run       STRING,
    pushed_at TIMESTAMP DEFAULT {{default}},
    answer    JSON
);
{{.Pusher "`roles/bigquery.dataEditor` ON TABLE penstock_receipts"}}

-- While the last run still goes on nothing is begun: the answer says status skipped,
-- and why. Rows whose cursor equals the watermark are pushed once more, because rows
-- with that very value may have come later; those that were delivered are answered
-- unchanged. Rows without a cursor are pushed in every run, since no watermark finds
-- them. The model and the watermark's type are those of the version that begin pinned.
--
-- Where the sync's definition has quality, its gate's view is asked before the first
-- push, and a run that it blocks ends with nothing pushed.
--
-- With changed_only rows are pushed whose hash is not in penstock_pushed, which is brought
-- up to date first; full and reset empty it. A view of another definition than the run's
-- ends it as failed: run penstock sql-setup again.
--
-- The names of the model and of the gate's view are all that goes into the text of a
-- statement: they are checked to be plain names, and quoted.
--
-- Whatever fails, the run is closed with its reason, so that the next one need not
-- wait for it: a missing model, a column that is gone, a refused push or finish. A
-- cancelled job reaches no handler; the next run takes such a run over after an hour.
-- BigQuery's message may quote a row's value and stays there: the reason names step and
-- model.
CREATE OR REPLACE PROCEDURE penstock_run(sync STRING, mode STRING)
BEGIN
    DECLARE v_sync STRING DEFAULT sync;
    DECLARE v_mode STRING DEFAULT mode;
    DECLARE v_here STRING DEFAULT '`{{.Project}}.{{.Dataset}}`';
    DECLARE v_begun JSON;
    DECLARE v_answer JSON;
    DECLARE v_run STRING;
    DECLARE v_model STRING;
    DECLARE v_relation STRING;
    DECLARE v_gate STRING;
    DECLARE v_gate_relation STRING;
    DECLARE v_verdict JSON;
    DECLARE v_decision STRING;
    DECLARE v_warning STRING;
    DECLARE v_definition STRING;
    DECLARE v_stale INT64 DEFAULT 0;
    DECLARE v_version STRING;
    DECLARE v_changed BOOL DEFAULT FALSE;
    DECLARE v_keep_rows BOOL DEFAULT TRUE;
    DECLARE v_cursor_key STRING;
    DECLARE v_created_key STRING;
    DECLARE v_always BOOL DEFAULT FALSE;
    DECLARE v_watermark STRING;
    DECLARE v_watermark_type STRING;
    DECLARE v_zoned BOOL DEFAULT FALSE;
    DECLARE v_selected STRING;
    DECLARE v_status STRING;
    DECLARE v_received INT64 DEFAULT 0;
    DECLARE v_queued INT64 DEFAULT 0;
    DECLARE v_rejected INT64 DEFAULT 0;
    DECLARE v_superseded INT64 DEFAULT 0;
    DECLARE v_blocked INT64 DEFAULT 0;
    DECLARE v_created INT64;
    DECLARE v_updated INT64;
    DECLARE v_deleted INT64;
    DECLARE v_unchanged INT64;
    DECLARE v_calls FLOAT64;
    DECLARE v_seconds FLOAT64;
    DECLARE v_dollars FLOAT64;
    DECLARE v_dry BOOL DEFAULT COALESCE(mode = 'dry_run', FALSE);
    DECLARE v_step STRING DEFAULT 'begin';
    DECLARE v_reason STRING;
    DECLARE v_is_open BOOL DEFAULT FALSE;
    IF v_mode = 'cdc' THEN
        RAISE USING MESSAGE = '{{.NoStream}}';
    END IF;
    BEGIN
        {{.Step "begin"}}
        IF JSON_VALUE(v_begun, '$.select') = 'wait' THEN
            SET v_status = 'skipped';
            SET v_reason = JSON_VALUE(v_begun, '$.reason');
        ELSE
            SET v_run = JSON_VALUE(v_begun, '$.run');
            SET v_is_open = NOT v_dry; -- a dry run has none
            SET v_gate = JSON_VALUE(v_begun, '$.gate');
            IF v_gate IS NOT NULL THEN
                SET v_step = 'gate';
                IF NOT REGEXP_CONTAINS(v_gate, r'^[A-Za-z0-9_]+$') THEN
                    RAISE USING MESSAGE = 'penstock_run: the gate is no name of a view';
                END IF;
                SET v_gate_relation = CONCAT('`{{.Project}}.{{.Dataset}}.', v_gate, '`');
                {{.Step "gate"}}
                IF v_dry THEN
                    SET v_decision = JSON_VALUE(v_verdict, '$.decision');
                ELSE
                    {{.Step "gate verdict"}}
                    SET v_decision = JSON_VALUE(v_answer, '$.decision');
                    SET v_status = JSON_VALUE(v_answer, '$.status');
                    SET v_reason = JSON_VALUE(v_answer, '$.reason');
                    SET v_is_open = COALESCE(v_status = 'open', FALSE);
                END IF;
            END IF;
        END IF;

        IF v_is_open OR (v_dry AND v_status IS NULL) THEN
            SET v_warning = COALESCE(v_reason, JSON_VALUE(v_begun, '$.reason')); -- what the gate warns of, or begin
            SET v_step = IF(v_dry, 'plan', 'push');
            SET v_model = COALESCE(JSON_VALUE(v_begun, '$.source'), JSON_VALUE(v_begun, '$.model'));
            SET v_selected = JSON_VALUE(v_begun, '$.select');
            SET v_version = JSON_VALUE(v_begun, '$.version');
            SET v_changed = COALESCE(JSON_VALUE(v_begun, '$.changed_only') = 'true', FALSE);
            SET v_keep_rows = COALESCE(JSON_VALUE(v_begun, '$.store_source'), '') <> 'none';
            SET v_always = COALESCE(JSON_VALUE(v_begun, '$.always') = 'true', FALSE);
            IF NOT REGEXP_CONTAINS(v_model, r'^[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+){0,2}$') THEN
                RAISE USING MESSAGE = 'penstock_run: the model is no name of a table or view';
            END IF;
            SET v_relation = CONCAT('`', IF(STRPOS(v_model, '.') = 0, '{{.Project}}.{{.Dataset}}.', IF(ARRAY_LENGTH(SPLIT(v_model, '.')) = 2, '{{.Project}}.', '')), v_model, '`');
            IF v_selected = 'since' THEN
                SET v_cursor_key = JSON_VALUE(v_begun, '$.cursor');
                SET v_created_key = COALESCE(JSON_VALUE(v_begun, '$.created'), v_cursor_key);
                SET v_watermark = JSON_VALUE(v_begun, '$.watermark');
                SET v_watermark_type = JSON_VALUE(v_begun, '$.watermark_type');
                SET v_zoned = COALESCE(JSON_VALUE(v_begun, '$.watermark_zoned') = 'true', FALSE);
            END IF;
            SET v_definition = JSON_VALUE(v_begun, '$.definition');
            IF v_definition IS NOT NULL THEN
                SET v_step = 'check';
                {{.Step "check"}}
                IF v_stale > 0 THEN
                    RAISE USING MESSAGE = 'penstock_run: the view that the rows are read from is made of another definition: run penstock sql-setup again';
                END IF;
            END IF;
            IF v_selected = 'changed' THEN
                SET v_step = 'refresh';
                CALL penstock_refresh();
            END IF;
        END IF;

        IF v_dry AND v_status IS NULL THEN
            SET v_step = 'plan';
            IF v_selected = 'changed' THEN
                {{.Step "plan what changed"}}
            ELSEIF v_watermark_type = 'number' THEN
                {{.Step "plan since a number"}}
            ELSEIF v_watermark_type = 'timestamp' AND v_zoned THEN
                {{.Step "plan since a timestamp with a zone"}}
            ELSEIF v_watermark_type = 'timestamp' THEN
                {{.Step "plan since a timestamp without a zone"}}
            ELSEIF v_watermark_type = 'text' THEN
                {{.Step "plan since a text"}}
            ELSE
                {{.Step "plan"}}
            END IF;
            SET v_queued = v_received - v_rejected - v_superseded;
            SET v_status = 'planned';
            SET v_reason = v_warning;
        ELSEIF v_is_open THEN
            IF v_changed THEN
                IF v_selected = 'all' THEN
                    SET v_step = 'forget';
                    {{.Step "forget"}}
                    {{.Step "forget what is sent"}}
                END IF;
                SET v_step = 'push';
                {{.Step "push what changed"}}
                {{.Step "push: keep the receipts"}}
                SET v_step = 'note';
                {{.Step "note what is gone"}}
                {{.Step "leave out what is doubled"}}
            ELSE
                SET v_step = 'push';
                IF v_watermark_type = 'number' THEN
                    {{.Step "push since a number"}}
                ELSEIF v_watermark_type = 'timestamp' AND v_zoned THEN
                    {{.Step "push since a timestamp with a zone"}}
                ELSEIF v_watermark_type = 'timestamp' THEN
                    {{.Step "push since a timestamp without a zone"}}
                ELSEIF v_watermark_type = 'text' THEN
                    {{.Step "push since a text"}}
                ELSE
                    {{.Step "push"}}
                END IF;
            END IF;

            SET v_step = 'count';
            {{.Step "count"}}
            SET v_step = 'finish';
            {{.Step "finish"}}
            SET v_is_open = FALSE;
            SET v_status = JSON_VALUE(v_answer, '$.status');
            SET v_reason = COALESCE(JSON_VALUE(v_answer, '$.reason'), v_warning);
        END IF;

        IF NOT v_dry THEN
            -- The rows are pushed, whatever becomes of the tables.
            BEGIN
                {{.Step "tidy"}}
                CALL penstock_refresh();
            EXCEPTION WHEN ERROR THEN
                SET v_reason = CONCAT(COALESCE(CONCAT(v_reason, '; '), ''), 'the monitoring tables were not refreshed, and what was pushed is pushed: ', @@error.message);
            END;
        END IF;
        SELECT
            v_sync AS sync, v_run AS run, v_status AS status, v_selected AS selected, v_received AS received, v_queued AS queued,
            v_rejected AS rejected, v_superseded AS superseded, v_blocked AS blocked, v_decision AS decision, v_reason AS reason,
            v_created AS created, v_updated AS updated, v_deleted AS deleted, v_unchanged AS unchanged,
            v_calls AS calls, v_seconds AS seconds, v_dollars AS dollars;
    EXCEPTION WHEN ERROR THEN
        -- Penstock keeps 500 bytes.
        SET v_reason = LEFT(CONCAT(
            'penstock_run: ', v_step, IF(v_step IN ('push', 'plan'), CONCAT(' of the model ', COALESCE(v_model, '?')), ''),
            ' failed', IF(v_step = 'check', ': the view is made of another definition: run penstock sql-setup again, with --syncs', ''), '; the message is in the job history of the project'
        ), 480);
        IF v_is_open THEN
            BEGIN
                {{.Step "cancel"}}
            EXCEPTION WHEN ERROR THEN
                SET v_is_open = FALSE; -- Penstock cannot be reached: the next run takes this one over
            END;
        END IF;
        BEGIN
            CALL penstock_refresh();
        EXCEPTION WHEN ERROR THEN
            SET v_is_open = FALSE; -- what failed before is what counts
        END;
        RAISE;
    END;
END;
