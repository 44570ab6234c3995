-- 1. The dataset that all of it is made in. All of it can be run again, after another
-- deployment, or to add a member. Names are written out with project and dataset,
-- because a procedure looks for others in its caller's default dataset.
CREATE SCHEMA IF NOT EXISTS `{{.Project}}.{{.Dataset}}`
OPTIONS (location = '{{.Location}}');
