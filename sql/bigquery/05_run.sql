-- 5. What penstock_push answered in a run of penstock_run, row by row, for 7 days: the
-- stored answers are counted, so that the push cannot be left out.
CREATE TABLE IF NOT EXISTS penstock_receipts (
    sync      STRING,
    run       STRING,
    pushed_at TIMESTAMP DEFAULT {{default}},
    answer    JSON
);
{{.Pusher "`roles/bigquery.dataEditor` ON TABLE penstock_receipts"}}
