-- 1. The dataset that all of it is made in. All of it can be run again: after another
-- deployment, or to add a member. Names are written out with project and dataset,
-- because a procedure looks for others in its caller's default dataset.
--
-- SQL makes neither the connection nor the forwarder's rights. Once, before this script:
--
--     gcloud services enable bigqueryconnection.googleapis.com run.googleapis.com --project {{.Project}}
--     bq mk --connection --connection_type=CLOUD_RESOURCE --project_id={{.Project}} --location={{.Location}} {{.Connection}}
--     bq show --connection --format=json {{.Project}}.{{.Location}}.{{.Connection}}    # cloudResource.serviceAccountId
--     gcloud run services add-iam-policy-binding penstock-forwarder --project {{.Project}} --region {{.Region}} \
--         --member serviceAccount:SERVICE_ACCOUNT_ID --role roles/run.invoker
--
-- The forwarder at {{.Endpoint}} lets nobody else in: deploy it with
-- --no-allow-unauthenticated.
CREATE SCHEMA IF NOT EXISTS `{{.Project}}.{{.Dataset}}`
OPTIONS (location = '{{.Location}}');

-- Who calls the functions sees that they are there, uses the connection, and starts jobs.
-- The dataset's data are not among it: tables are granted one by one below. Who is to
-- push needs roles/bigquery.dataViewer on the models too, which are yours.
{{.Reader (printf "`roles/bigquery.metadataViewer` ON SCHEMA `%s.%s`" .Project .Dataset)}}
{{range .All}}--     gcloud projects add-iam-policy-binding {{$.Project}} --member {{.}} --role roles/bigquery.jobUser
--     bq add-iam-policy-binding --member={{.}} --role=roles/bigquery.connectionUser --connection {{$.Project}}.{{$.Location}}.{{$.Connection}}
{{end}}
