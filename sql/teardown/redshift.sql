-- Takes away what penstock sql-setup made, the last first. It can be run again. First
-- cancel what runs (SELECT {{.Schema}}.penstock_cancel('RUN', 'teardown')): without the
-- functions a run is closed by Penstock after an hour. The schema stays where other
-- objects are in it: then the last statement fails. Roles stay, because others may have
-- them.
CREATE SCHEMA IF NOT EXISTS {{.Schema}};

-- Redshift knows no DROP FUNCTION IF EXISTS.
CREATE OR REPLACE PROCEDURE {{.Schema}}.penstock_drop(v_kind VARCHAR(16), v_name VARCHAR(128))
AS
$$
DECLARE
    v_one RECORD;
BEGIN
    FOR v_one IN
        SELECT p.proname, oidvectortypes(p.proargtypes) AS arguments
        FROM pg_proc_info AS p
        JOIN pg_namespace AS n ON n.oid = p.pronamespace
        WHERE n.nspname = '{{.Schema}}' AND p.proname = v_name
    LOOP
        EXECUTE 'DROP ' || v_kind || ' {{.Schema}}.' || QUOTE_IDENT(v_one.proname) || '(' || v_one.arguments || ')';
    END LOOP;
END;
$$ LANGUAGE plpgsql;

{{.Drops}}

DROP PROCEDURE {{.Schema}}.penstock_drop(VARCHAR, VARCHAR);
{{range .All}}REVOKE USAGE ON LANGUAGE EXFUNC FROM ROLE {{.}};
{{end}}DROP SCHEMA {{.Schema}};
