-- 2. The penstock functions. Redshift invokes the Lambda function {{.Function}}
-- with a batch of arguments, and takes VARCHAR back: each answer is JSON, which JSON_PARSE
-- or JSON_EXTRACT_PATH_TEXT read. There is no whole row as an object, so that a view
-- penstock_source_SYNC lists a sync's columns as the JSON text penstock_row:
--
--     SELECT {{.Schema}}.penstock_push('sf_health', m.penstock_row) AS answer FROM {{.Schema}}.penstock_source_sf_health AS m;
--
-- A row has at most 65,535 bytes as JSON, and so has an answer; pages of status and errors
-- are cut to 60,000. MAX_BATCH_SIZE leaves room for the quotes of JSON in JSON, within
-- the 6 MB of a Lambda payload. RETRY_TIMEOUT is how long Redshift waits in all between
-- its tries of a batch that was throttled. A batch that comes twice is answered as the
-- first time, and queued once.
--
-- Everybody may call a new function: that is taken back after each. Only a superuser may
-- replace one.
{{range .Functions}}
-- {{.Signature}}
{{range .Forms}}CREATE OR REPLACE EXTERNAL FUNCTION {{.Name}}({{.Types}})
    RETURNS VARCHAR(65535)
    VOLATILE
    LAMBDA '{{$.Function}}'
    IAM_ROLE '{{$.RoleARN}}'
    RETRY_TIMEOUT {{.RetryTimeout}}
    MAX_BATCH_ROWS {{.BatchRows}}
    MAX_BATCH_SIZE {{.BatchMB}} MB;
REVOKE ALL ON FUNCTION {{.Name}}({{.Types}}) FROM PUBLIC;
{{if .Reads}}{{$.Reader (printf "EXECUTE ON FUNCTION %s(%s)" .Name .Types)}}{{else}}{{$.Pusher (printf "EXECUTE ON FUNCTION %s(%s)" .Name .Types)}}{{end}}
{{end}}{{end}}
