-- 2. The penstock functions. They reach the forwarder on Cloud Run through the
-- connection, whose service account may invoke it (docs/bigquery.md). BigQuery knows no
-- defaults: pass NULL for what a description has in brackets. The row is JSON:
--
--     SELECT {{.Dataset}}.penstock_push('sf_health', TO_JSON(t, stringify_wide_numbers => TRUE)) AS answer
--     FROM salesforce_customer_health_sync AS t;
--
-- Call penstock_push in no branch of CASE, IF or MERGE: there BigQuery sends every row
-- by itself. max_batching_rows keeps a request within the 6 MB of a Lambda event.
--
-- Who calls a function needs roles/bigquery.connectionUser on the connection too, which
-- no SQL grants.
{{range .Remotes}}
CREATE OR REPLACE FUNCTION {{.Name}}({{.Arguments}}) RETURNS JSON
REMOTE WITH CONNECTION `{{$.Project}}.{{$.Location}}.{{$.Connection}}`
OPTIONS (
    endpoint = '{{$.Endpoint}}',
    description = '{{.Description}}',
    user_defined_context = [{{.Context}}],
    max_batching_rows = {{.Rows}}
);
{{end}}
