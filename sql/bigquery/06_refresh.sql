-- 6. Brings the monitoring tables up to date. It reads what changed since the last
-- time, page by page, and merges by key: twice is the same as once, and a refresh that
-- failed is made good by the next.
CREATE OR REPLACE PROCEDURE penstock_refresh()
BEGIN
    DECLARE v_refresh STRING DEFAULT GENERATE_UUID();
    DECLARE v_page INT64 DEFAULT 0;
    DECLARE v_pending INT64 DEFAULT 0;
{{refresh}}
END;

-- It runs with its caller's rights.
{{range .Refreshed}}{{$.Pusher (printf "`roles/bigquery.dataEditor` ON TABLE %s" .)}}
{{end}}{{range .Monitoring}}{{$.Reader (printf "`roles/bigquery.dataViewer` ON %s" .)}}
{{end}}
