-- Takes away what penstock sql-setup made, the last first. It can be run again. First
-- cancel what runs (SELECT penstock_cancel('RUN', 'teardown')): without the functions a
-- run is closed by Penstock after an hour. Database, schema and roles stay, because
-- other objects may be in them.
USE ROLE {{.Role}};
USE WAREHOUSE {{.Warehouse}};
USE SCHEMA {{.Database}}.{{.Schema}};

{{.Drops}}

{{.Stays}}

USE ROLE ACCOUNTADMIN;
DROP INTEGRATION IF EXISTS {{.Integration}};
