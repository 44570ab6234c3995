-- 6. Brings the monitoring tables up to date. It reads what changed since the last
-- time, page by page, and merges by key: twice is the same as once, and a refresh that
-- failed is made good by the next. NONATOMIC: each statement commits, so that what was
-- read stays when a later statement fails.
CREATE OR REPLACE PROCEDURE penstock_refresh()
    NONATOMIC
AS
$$
DECLARE
    v_refresh VARCHAR(64) := '';
    v_page INTEGER := 0;
    v_pending BIGINT := 0;
BEGIN
    v_refresh := 'r' || TO_CHAR({{now}}, 'YYYYMMDDHH24MISS') || '-' || MD5(RANDOM()::VARCHAR(32));
{{refresh}}
END;
$$ LANGUAGE plpgsql;
REVOKE ALL ON PROCEDURE penstock_refresh() FROM PUBLIC;
{{.Pusher "EXECUTE ON PROCEDURE penstock_refresh()"}}

-- It runs with its caller's rights.
{{range .Refreshed}}{{$.Pusher (printf "SELECT, INSERT, UPDATE, DELETE ON TABLE %s" .)}}
{{end}}{{range .Monitoring}}{{$.Reader (printf "SELECT ON %s" .)}}
{{end}}
