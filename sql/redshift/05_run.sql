-- 5. What penstock_push answered in a run of penstock_run, row by row, for 7 days: the
-- stored answers are counted, so that the push cannot be left out.
CREATE TABLE IF NOT EXISTS penstock_receipts (
    sync      VARCHAR(255),
    run       VARCHAR(255),
    pushed_at TIMESTAMP DEFAULT {{default}},
    answer    VARCHAR(65535)
);
{{.Pusher "SELECT, INSERT, DELETE ON TABLE penstock_receipts"}}
