-- The tables that the further models read, beside the sample's. Every TIMESTAMP_NTZ is in
-- UTC.

-- What a customer's contract says: one row per customer.
CREATE TABLE IF NOT EXISTS customer_data (
    customer_id     VARCHAR,
    is_enterprise   BOOLEAN,
    monthly_revenue DECIMAL(18, 4),
    last_login      TIMESTAMP_NTZ,
    phone_number    VARCHAR
);

CREATE TABLE IF NOT EXISTS customers (
    customer_id  VARCHAR,
    email        VARCHAR,
    company_name VARCHAR,
    status       VARCHAR -- active, ...
);

CREATE TABLE IF NOT EXISTS events (
    event_id        VARCHAR,
    customer_id     VARCHAR,
    event_timestamp TIMESTAMP_NTZ
);

CREATE TABLE IF NOT EXISTS transactions (
    transaction_id   VARCHAR,
    customer_id      VARCHAR,
    amount           DECIMAL(18, 2),
    transaction_date TIMESTAMP_NTZ
);

CREATE TABLE IF NOT EXISTS support_tickets (
    ticket_id          VARCHAR,
    customer_id        VARCHAR,
    satisfaction_score DECIMAL(3, 2), -- NULL: nobody answered
    created_date       TIMESTAMP_NTZ
);

-- Customers that are marked as deleted and stay in the table.
CREATE TABLE IF NOT EXISTS customer_lifecycle (
    customer_id  VARCHAR,
    email        VARCHAR,
    health_score DECIMAL(3, 2),
    status       VARCHAR, -- deleted, ...
    deleted_at   TIMESTAMP_NTZ,
    last_updated TIMESTAMP_NTZ
);

-- The changes of the scores; a run consumes them. An update is two rows with is-update
-- true, a DELETE of the old values and an INSERT of the new ones, in no order.
CREATE STREAM IF NOT EXISTS customer_health_changes ON TABLE customer_health_scores;
