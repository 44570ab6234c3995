-- 1. Schema and roles, in the database {{.Database}}. All of it can be run again: after another
-- deployment, or to add a role. It runs as a superuser, or as a user who may create
-- schemas and roles and has USAGE ON LANGUAGE EXFUNC. Names are written out with their
-- schema, because a procedure looks for others in its caller's search_path.
--
-- Redshift calls the Lambda function {{.Function}} with the role
-- {{.RoleARN}},
-- which has to be one of its own, in the region and account of the function:
--
{{if .Workgroup}}--     aws redshift-serverless get-workgroup --workgroup-name {{.Workgroup}} --query workgroup.namespaceName
--     aws redshift-serverless get-namespace --namespace-name NAMESPACE --query namespace.iamRoles
--     aws redshift-serverless update-namespace --namespace-name NAMESPACE --iam-roles {{.RoleARN}} OTHERS
{{else}}--     aws redshift modify-cluster-iam-roles --cluster-identifier {{or .Cluster "CLUSTER"}} --add-iam-roles {{.RoleARN}}
{{end}}CREATE SCHEMA IF NOT EXISTS {{.Schema}};

-- Redshift knows no CREATE ROLE IF NOT EXISTS.
CREATE OR REPLACE PROCEDURE penstock_make_role(v_role VARCHAR(128))
AS
$$
DECLARE
    v_found BIGINT := 0;
BEGIN
    SELECT COUNT(*) INTO v_found FROM svv_roles WHERE role_name = v_role;
    IF v_found = 0 THEN
        EXECUTE 'CREATE ROLE ' || QUOTE_IDENT(v_role);
    END IF;
END;
$$ LANGUAGE plpgsql;
{{range .All}}CALL penstock_make_role('{{.}}');
{{end}}DROP PROCEDURE penstock_make_role(VARCHAR);

-- A role sees the schema, and what is granted to it below; who is to push needs SELECT on
-- the models too, which are yours. Give it to people: GRANT ROLE {{index .Pushers 0}} TO somebody;
{{.Reader (printf "USAGE ON SCHEMA %s" .Schema)}}
{{.Reader "USAGE ON LANGUAGE EXFUNC"}}
