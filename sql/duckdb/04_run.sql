-- What penstock_push answered in a run of penstock_run, row by row, for 7 days.
CREATE TABLE IF NOT EXISTS penstock_receipts (
    sync      VARCHAR,
    run       VARCHAR,
    pushed_at TIMESTAMP DEFAULT (CURRENT_TIMESTAMP AT TIME ZONE 'UTC'),
    answer    JSON
);
