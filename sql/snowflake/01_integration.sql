-- 1. The road from Snowflake to API Gateway. Down to DESC INTEGRATION it runs as
-- ACCOUNTADMIN, all that follows as {{.Role}}. All of it can be run again: after
-- another deployment, or to add a role.
--
-- DESC INTEGRATION names the user and the external id with which Snowflake comes.
-- Put both into the trust policy of the AWS role: Principal
-- {"AWS": API_AWS_IAM_USER_ARN} and StringEquals sts:ExternalId
-- API_AWS_EXTERNAL_ID. A re-created integration may get another external id, and
-- the trust policy would have to follow: so it is made once and altered afterwards.
-- One integration serves one stack; give a second stack another --integration.
USE ROLE ACCOUNTADMIN;
USE WAREHOUSE {{.Warehouse}};

CREATE API INTEGRATION IF NOT EXISTS {{.Integration}}
    API_PROVIDER = aws_api_gateway
    API_AWS_ROLE_ARN = '{{.RoleARN}}'
    API_ALLOWED_PREFIXES = ('{{.APIURL}}/')
    ENABLED = TRUE;

ALTER API INTEGRATION IF EXISTS {{.Integration}} SET
    API_AWS_ROLE_ARN = '{{.RoleARN}}'
    API_ALLOWED_PREFIXES = ('{{.APIURL}}/')
    ENABLED = TRUE;

CREATE DATABASE IF NOT EXISTS {{.Database}};
CREATE SCHEMA IF NOT EXISTS {{.Database}}.{{.Schema}};
GRANT USAGE ON INTEGRATION {{.Integration}} TO ROLE {{.Role}};
GRANT USAGE ON DATABASE {{.Database}} TO ROLE {{.Role}};
GRANT ALL ON SCHEMA {{.Database}}.{{.Schema}} TO ROLE {{.Role}};
GRANT USAGE ON WAREHOUSE {{.Warehouse}} TO ROLE {{.Role}};

-- Who pushes or reads besides: a role has what is granted to it here and below, and no
-- more. Who is to push needs SELECT on the models too, which are yours. Give it to people:
-- GRANT ROLE {{index .Pushers 0}} TO USER somebody;
{{range .All}}CREATE ROLE IF NOT EXISTS {{.}};
{{end}}{{.Reader (printf "USAGE ON DATABASE %s" .Database)}}
{{.Reader (printf "USAGE ON SCHEMA %s.%s" .Database .Schema)}}
{{.Reader (printf "USAGE ON WAREHOUSE %s" .Warehouse)}}

-- For the tasks below, which are made suspended: the role that owns a task needs
-- the right to run tasks, which ACCOUNTADMIN gives.
GRANT EXECUTE TASK ON ACCOUNT TO ROLE {{.Role}};

DESC INTEGRATION {{.Integration}};

USE ROLE {{.Role}};
USE WAREHOUSE {{.Warehouse}};
USE SCHEMA {{.Database}}.{{.Schema}};
