-- 2. The penstock functions. VOLATILE, so that no call is merged; read their
-- result, or Snowflake may leave the call out. The row is an OBJECT or a VARIANT:
--
--     SELECT penstock_push('sf_health', OBJECT_CONSTRUCT_KEEP_NULL(*)) AS answer
--     FROM salesforce_customer_health_sync;
--
-- OBJECT_CONSTRUCT without KEEP_NULL leaves null columns out, and an absent column
-- is a rejected row (missing_column), while a null follows the mapping's on_null.
-- MAX_BATCH_ROWS keeps a batch within the 6 MB of a Lambda event, in which the
-- gateway hands it over in base64, four characters for three bytes: 4.5 MB of JSON
-- a batch, so that at 1,000 rows a row may have 4.5 KB on average. For wider rows
-- lower it; one row may have 256 KB, or else it is rejected (row_too_large).
--
-- CURRENT_ROLE goes with every call: where a definition says allow, Penstock compares
-- it, and refuses a function that tells no role.
--
-- A function that is made anew has lost what was granted on it, so that the grants of
-- further roles (--pusher, --reader) follow each one.
CREATE OR REPLACE EXTERNAL FUNCTION penstock_push(sync VARCHAR, row_object VARIANT)
    RETURNS VARIANT
    VOLATILE
    COMMENT = 'Queues one row for a sync, or for a run that penstock_begin gave; answers status, run, record_id, field, error_type, error_message'
    API_INTEGRATION = {{.Integration}}
    CONTEXT_HEADERS = (CURRENT_USER, CURRENT_ROLE, CURRENT_DATABASE, CURRENT_SCHEMA)
    MAX_BATCH_ROWS = {{.MaxBatchRows}}
    COMPRESSION = AUTO
    AS '{{.APIURL}}/push';
{{.Pusher "USAGE ON FUNCTION penstock_push(VARCHAR, VARIANT)"}}

-- What a push of these very rows would do; nothing is sent and nothing is stored. The
-- figures of "estimate" are a row's part of the whole, so that SUM adds them up.
CREATE OR REPLACE EXTERNAL FUNCTION penstock_plan(sync VARCHAR, row_object VARIANT)
    RETURNS VARIANT
    VOLATILE
    COMMENT = 'What would become of one row: action (create, update, delete, unchanged, superseded, rejected), record_id, fields, estimate'
    API_INTEGRATION = {{.Integration}}
    CONTEXT_HEADERS = (CURRENT_USER, CURRENT_ROLE)
    MAX_BATCH_ROWS = {{.MaxBatchRows}}
    COMPRESSION = AUTO
    AS '{{.APIURL}}/plan';
{{.Pusher "USAGE ON FUNCTION penstock_plan(VARCHAR, VARIANT)"}}

CREATE OR REPLACE EXTERNAL FUNCTION penstock_begin(sync VARCHAR, mode VARCHAR)
    RETURNS VARIANT
    VOLATILE
    COMMENT = 'Begins a run, incremental or full; answers the run and what to select (since the watermark, or all), or select: wait while the last run goes on'
    API_INTEGRATION = {{.Integration}}
    CONTEXT_HEADERS = (CURRENT_USER, CURRENT_ROLE)
    MAX_BATCH_ROWS = 1
    COMPRESSION = AUTO
    AS '{{.APIURL}}/begin';
{{.Pusher "USAGE ON FUNCTION penstock_begin(VARCHAR, VARCHAR)"}}

CREATE OR REPLACE EXTERNAL FUNCTION penstock_gate(run VARCHAR, verdict VARIANT)
    RETURNS VARIANT
    VOLATILE
    COMMENT = 'Tells what a run''s quality gate said, before its first push: BLOCK_SYNC ends the run'
    API_INTEGRATION = {{.Integration}}
    CONTEXT_HEADERS = (CURRENT_USER, CURRENT_ROLE)
    MAX_BATCH_ROWS = 1
    COMPRESSION = AUTO
    AS '{{.APIURL}}/gate';
{{.Pusher "USAGE ON FUNCTION penstock_gate(VARCHAR, VARIANT)"}}

CREATE OR REPLACE EXTERNAL FUNCTION penstock_finish(run VARCHAR, row_count NUMBER)
    RETURNS VARIANT
    VOLATILE
    COMMENT = 'Ends a run: says how many rows were pushed'
    API_INTEGRATION = {{.Integration}}
    CONTEXT_HEADERS = (CURRENT_USER, CURRENT_ROLE)
    MAX_BATCH_ROWS = 1
    COMPRESSION = AUTO
    AS '{{.APIURL}}/finish';
{{.Pusher "USAGE ON FUNCTION penstock_finish(VARCHAR, NUMBER)"}}

CREATE OR REPLACE EXTERNAL FUNCTION penstock_cancel(run VARCHAR, reason VARCHAR)
    RETURNS VARIANT
    VOLATILE
    COMMENT = 'Ends a run: what is not delivered yet is not sent. The reason is for people, and may be NULL'
    API_INTEGRATION = {{.Integration}}
    CONTEXT_HEADERS = (CURRENT_USER, CURRENT_ROLE)
    MAX_BATCH_ROWS = 1
    COMPRESSION = AUTO
    AS '{{.APIURL}}/cancel';
{{.Pusher "USAGE ON FUNCTION penstock_cancel(VARCHAR, VARCHAR)"}}

CREATE OR REPLACE EXTERNAL FUNCTION penstock_retry(run VARCHAR)
    RETURNS VARIANT
    VOLATILE
    COMMENT = 'Sends the open errors of a run again, from their stored source with the mapping of today'
    API_INTEGRATION = {{.Integration}}
    CONTEXT_HEADERS = (CURRENT_USER, CURRENT_ROLE)
    MAX_BATCH_ROWS = 1
    COMPRESSION = AUTO
    AS '{{.APIURL}}/retry';
{{.Pusher "USAGE ON FUNCTION penstock_retry(VARCHAR)"}}

-- Some of them only: PARSE_JSON('{"records": ["42"], "types": ["unknown"]}'). Where
-- the answer has a "next", pass it as "after" of the next call to go on.
CREATE OR REPLACE EXTERNAL FUNCTION penstock_retry(run VARCHAR, selector VARIANT)
    RETURNS VARIANT
    VOLATILE
    COMMENT = 'The same for some of the errors'
    API_INTEGRATION = {{.Integration}}
    CONTEXT_HEADERS = (CURRENT_USER, CURRENT_ROLE)
    MAX_BATCH_ROWS = 1
    COMPRESSION = AUTO
    AS '{{.APIURL}}/retry';
{{.Pusher "USAGE ON FUNCTION penstock_retry(VARCHAR, VARIANT)"}}

CREATE OR REPLACE EXTERNAL FUNCTION penstock_reset(sync VARCHAR)
    RETURNS VARIANT
    VOLATILE
    COMMENT = 'Clears the watermark of a sync: its next run selects all rows. It begins none'
    API_INTEGRATION = {{.Integration}}
    CONTEXT_HEADERS = (CURRENT_USER, CURRENT_ROLE)
    MAX_BATCH_ROWS = 1
    COMPRESSION = AUTO
    AS '{{.APIURL}}/reset';
{{.Pusher "USAGE ON FUNCTION penstock_reset(VARCHAR)"}}

CREATE OR REPLACE EXTERNAL FUNCTION penstock_status(sync VARCHAR)
    RETURNS VARIANT
    VOLATILE
    COMMENT = 'The state of a sync: watermark and recent runs with their counts'
    API_INTEGRATION = {{.Integration}}
    CONTEXT_HEADERS = (CURRENT_USER, CURRENT_ROLE)
    MAX_BATCH_ROWS = 10
    COMPRESSION = AUTO
    AS '{{.APIURL}}/status';
{{.Reader "USAGE ON FUNCTION penstock_status(VARCHAR)"}}

-- The runs begun since a time, page by page: pass the answer's "next" as "after".
CREATE OR REPLACE EXTERNAL FUNCTION penstock_status(sync VARCHAR, since VARCHAR, after VARCHAR)
    RETURNS VARIANT
    VOLATILE
    COMMENT = 'The same with the runs since a time, from where the last answer ended'
    API_INTEGRATION = {{.Integration}}
    CONTEXT_HEADERS = (CURRENT_USER, CURRENT_ROLE)
    MAX_BATCH_ROWS = 10
    COMPRESSION = AUTO
    AS '{{.APIURL}}/status';
{{.Reader "USAGE ON FUNCTION penstock_status(VARCHAR, VARCHAR, VARCHAR)"}}

CREATE OR REPLACE EXTERNAL FUNCTION penstock_freshness(sync VARCHAR)
    RETURNS VARIANT
    VOLATILE
    COMMENT = 'How old the data of a sync is at its destination: its records by age, as they were counted last'
    API_INTEGRATION = {{.Integration}}
    CONTEXT_HEADERS = (CURRENT_USER, CURRENT_ROLE)
    MAX_BATCH_ROWS = 10
    COMPRESSION = AUTO
    AS '{{.APIURL}}/freshness';
{{.Reader "USAGE ON FUNCTION penstock_freshness(VARCHAR)"}}

CREATE OR REPLACE EXTERNAL FUNCTION penstock_errors(run VARCHAR)
    RETURNS VARIANT
    VOLATILE
    COMMENT = 'The rows of a run that were not delivered, each with field, error_type and error_message'
    API_INTEGRATION = {{.Integration}}
    CONTEXT_HEADERS = (CURRENT_USER, CURRENT_ROLE)
    MAX_BATCH_ROWS = 1
    COMPRESSION = AUTO
    AS '{{.APIURL}}/errors';
{{.Reader "USAGE ON FUNCTION penstock_errors(VARCHAR)"}}

-- An answer holds up to 3 MB, so that a request has one row: a Lambda answers 6 MB
-- at most. A run with more errors than that: pass the answer's "next" to go on.
CREATE OR REPLACE EXTERNAL FUNCTION penstock_errors(run VARCHAR, after VARCHAR)
    RETURNS VARIANT
    VOLATILE
    COMMENT = 'The same, from where the last answer ended'
    API_INTEGRATION = {{.Integration}}
    CONTEXT_HEADERS = (CURRENT_USER, CURRENT_ROLE)
    MAX_BATCH_ROWS = 1
    COMPRESSION = AUTO
    AS '{{.APIURL}}/errors';
{{.Reader "USAGE ON FUNCTION penstock_errors(VARCHAR, VARCHAR)"}}

CREATE OR REPLACE EXTERNAL FUNCTION penstock_errors(run VARCHAR, after VARCHAR, since VARCHAR)
    RETURNS VARIANT
    VOLATILE
    COMMENT = 'The same without what occurred before a time'
    API_INTEGRATION = {{.Integration}}
    CONTEXT_HEADERS = (CURRENT_USER, CURRENT_ROLE)
    MAX_BATCH_ROWS = 1
    COMPRESSION = AUTO
    AS '{{.APIURL}}/errors';
{{.Reader "USAGE ON FUNCTION penstock_errors(VARCHAR, VARCHAR, VARCHAR)"}}

CREATE OR REPLACE EXTERNAL FUNCTION penstock_syncs()
    RETURNS VARIANT
    VOLATILE
    COMMENT = 'The applied syncs, each with its version, connection, object, operation and cursor column'
    API_INTEGRATION = {{.Integration}}
    CONTEXT_HEADERS = (CURRENT_USER, CURRENT_ROLE)
    MAX_BATCH_ROWS = 10
    COMPRESSION = AUTO
    AS '{{.APIURL}}/syncs';
{{.Reader "USAGE ON FUNCTION penstock_syncs()"}}
