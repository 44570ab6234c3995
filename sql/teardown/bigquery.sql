-- Takes away what penstock sql-setup made, the last first. It can be run again. First
-- cancel what runs (SELECT `{{.Project}}.{{.Dataset}}.penstock_cancel`('RUN', 'teardown')):
-- without the functions a run is closed by Penstock after an hour. The dataset stays
-- where other objects are in it: then the last statement fails.
{{.Drops}}

DROP SCHEMA IF EXISTS `{{.Project}}.{{.Dataset}}` RESTRICT;

-- The connection, and the forwarder with its service account, are no SQL:
--
--     bq rm --connection --project_id={{.Project}} --location={{.Location}} {{.Connection}}
--     gcloud run services delete penstock-forwarder --project {{.Project}} --region {{.Region}}
