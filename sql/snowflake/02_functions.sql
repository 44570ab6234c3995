-- 2. The penstock functions. VOLATILE, so that no call is merged; read their
-- result, or Snowflake may leave the call out. The row is an OBJECT or a VARIANT:
--
--     SELECT penstock_push('sf_health', OBJECT_CONSTRUCT_KEEP_NULL(*)) AS answer
--     FROM salesforce_customer_health_sync;
--
-- OBJECT_CONSTRUCT without KEEP_NULL leaves null columns out, and an absent column
-- is a rejected row (missing_column), while a null follows the mapping's on_null.
-- MAX_BATCH_ROWS keeps a batch below API Gateway's 10 MB: at 2,000 rows a row may
-- be 5 KB of JSON.
CREATE OR REPLACE EXTERNAL FUNCTION penstock_push(sync VARCHAR, row_object VARIANT)
    RETURNS VARIANT
    VOLATILE
    COMMENT = 'Queues one row for a sync, or for a run that penstock_begin gave; answers status, run, record_id, field, reason, message'
    API_INTEGRATION = {{.Integration}}
    CONTEXT_HEADERS = (CURRENT_USER, CURRENT_ROLE, CURRENT_DATABASE, CURRENT_SCHEMA)
    MAX_BATCH_ROWS = {{.MaxBatchRows}}
    COMPRESSION = AUTO
    AS '{{.APIURL}}/push';

CREATE OR REPLACE EXTERNAL FUNCTION penstock_begin(sync VARCHAR, mode VARCHAR)
    RETURNS VARIANT
    VOLATILE
    COMMENT = 'Begins a run, incremental or full; answers the run and the watermark, and refuses a second active run'
    API_INTEGRATION = {{.Integration}}
    CONTEXT_HEADERS = (CURRENT_USER, CURRENT_ROLE)
    MAX_BATCH_ROWS = 1
    COMPRESSION = AUTO
    AS '{{.APIURL}}/begin';

CREATE OR REPLACE EXTERNAL FUNCTION penstock_finish(run VARCHAR, row_count NUMBER)
    RETURNS VARIANT
    VOLATILE
    COMMENT = 'Ends a run: says how many rows were pushed'
    API_INTEGRATION = {{.Integration}}
    CONTEXT_HEADERS = (CURRENT_USER, CURRENT_ROLE)
    MAX_BATCH_ROWS = 1
    COMPRESSION = AUTO
    AS '{{.APIURL}}/finish';

CREATE OR REPLACE EXTERNAL FUNCTION penstock_status(sync VARCHAR)
    RETURNS VARIANT
    VOLATILE
    COMMENT = 'The state of a sync: watermark and recent runs with their counts'
    API_INTEGRATION = {{.Integration}}
    MAX_BATCH_ROWS = 10
    COMPRESSION = AUTO
    AS '{{.APIURL}}/status';

CREATE OR REPLACE EXTERNAL FUNCTION penstock_errors(run VARCHAR)
    RETURNS VARIANT
    VOLATILE
    COMMENT = 'The rows of a run that were not delivered, each with field, reason and message'
    API_INTEGRATION = {{.Integration}}
    MAX_BATCH_ROWS = 10
    COMPRESSION = AUTO
    AS '{{.APIURL}}/errors';

-- A run with more errors than one answer holds: pass the answer's "next" to go on.
CREATE OR REPLACE EXTERNAL FUNCTION penstock_errors(run VARCHAR, after VARCHAR)
    RETURNS VARIANT
    VOLATILE
    COMMENT = 'The same, from where the last answer ended'
    API_INTEGRATION = {{.Integration}}
    MAX_BATCH_ROWS = 10
    COMPRESSION = AUTO
    AS '{{.APIURL}}/errors';

-- Who may push: the functions run with the caller's own rights on the model.
GRANT USAGE ON FUNCTION penstock_push(VARCHAR, VARIANT) TO ROLE {{.Role}};
GRANT USAGE ON FUNCTION penstock_begin(VARCHAR, VARCHAR) TO ROLE {{.Role}};
GRANT USAGE ON FUNCTION penstock_finish(VARCHAR, NUMBER) TO ROLE {{.Role}};
GRANT USAGE ON FUNCTION penstock_status(VARCHAR) TO ROLE {{.Role}};
GRANT USAGE ON FUNCTION penstock_errors(VARCHAR) TO ROLE {{.Role}};
GRANT USAGE ON FUNCTION penstock_errors(VARCHAR, VARCHAR) TO ROLE {{.Role}};
