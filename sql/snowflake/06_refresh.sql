-- 6. Brings the monitoring tables up to date. It reads what changed since the last
-- time, page by page, and merges by key: twice is the same as once, and a refresh
-- that failed is made good by the next. It runs with its owner's rights, so that who
-- may call it needs none on the tables; syncs with "allow" must name the owner's role.
CREATE OR REPLACE PROCEDURE penstock_refresh()
    COPY GRANTS
    RETURNS VARCHAR
    LANGUAGE SQL
    COMMENT = 'Merges what Penstock knows of syncs, runs and errors into the monitoring tables'
    EXECUTE AS OWNER
AS
$$
DECLARE
    refresh VARCHAR DEFAULT '';
    page INTEGER DEFAULT 0;
    pending INTEGER DEFAULT 0;
BEGIN
    SELECT UUID_STRING() INTO :refresh;
{{refresh}}
    RETURN 'refreshed';
END;
$$;
{{.Pusher "USAGE ON PROCEDURE penstock_refresh()"}}

-- Tables keep their grants, and views take them over when they are made anew
-- (COPY GRANTS); these are for roles that are new.
{{range .Monitoring}}{{$.Reader (printf "SELECT ON %s" .)}}
{{end}}

-- Resume it when the first CALL has worked: ALTER TASK penstock_refresh_monitoring RESUME;
-- A failure suspends nothing, since the next one makes it good; 10 minutes are enough
-- for 100,000 errors.
CREATE TASK IF NOT EXISTS penstock_refresh_monitoring
    WAREHOUSE = {{.Warehouse}}
    SCHEDULE = '5 MINUTE'
    SUSPEND_TASK_AFTER_NUM_FAILURES = 0
    USER_TASK_TIMEOUT_MS = 600000
AS
    CALL penstock_refresh();
