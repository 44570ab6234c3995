-- 1. The schema that all of it is made in, in the database {{.Database}}. All of it can
-- be run again, after another deployment, or to add a role; it runs as the superuser, or
-- as a user that may create a schema and has USAGE ON LANGUAGE EXFUNC. Names are written
-- out with their schema, because a procedure looks for others in its caller's
-- search_path.
CREATE SCHEMA IF NOT EXISTS {{.Schema}};
