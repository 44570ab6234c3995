-- The landing tables. They carry no keys and no NOT NULL: what a scoring job
-- writes lands first, and its faults are found, named and answered on the way
-- out, row by row. Every TIMESTAMP is in UTC: a bare CURRENT_TIMESTAMP would become
-- the session's local time.

-- The simple score: one row per customer.
CREATE TABLE IF NOT EXISTS customer_health_scores (
    customer_id   VARCHAR,
    email         VARCHAR,
    company_name  VARCHAR,
    health_score  DECIMAL(3, 2), -- a share: 0.00 to 1.00
    risk_category VARCHAR,       -- high, medium, low
    last_updated  TIMESTAMP,
    factors       JSON           -- {"usage": 0.9, "support": 0.8}
);

-- The full picture: one row per customer, replaced by each scoring.
CREATE TABLE IF NOT EXISTS customer_health_comprehensive (
    customer_id        VARCHAR,
    email              VARCHAR,
    company_name       VARCHAR,
    health_score       DECIMAL(5, 4), -- a share: 0.0000 to 1.0000
    risk_category      VARCHAR,       -- high_risk, medium_risk, low_risk
    confidence_score   DECIMAL(3, 2), -- how sure the model is of the score
    usage_metrics      JSON,          -- daily_active_users, feature_adoption, api_calls_trend
    financial_metrics  JSON,          -- mrr, payment_history, contract_renewal_probability
    engagement_metrics JSON,          -- support_tickets_30d, last_login_days_ago, training_completion
    model_version      VARCHAR,
    calculated_at      TIMESTAMP,
    created_at         TIMESTAMP DEFAULT (CURRENT_TIMESTAMP AT TIME ZONE 'UTC'),
    updated_at         TIMESTAMP DEFAULT (CURRENT_TIMESTAMP AT TIME ZONE 'UTC') -- moves with every change of the row: the cursor of sf_health
);

-- One row per customer and scoring, only ever appended. The alerts compare a
-- customer's row with the one before it.
CREATE TABLE IF NOT EXISTS customer_health_history (
    customer_id   VARCHAR,
    email         VARCHAR,
    company_name  VARCHAR,
    health_score  DECIMAL(5, 4),
    risk_category VARCHAR,
    calculated_at TIMESTAMP
);

-- Customers that are gone, and since when. The models that read it mark their rows as
-- deleted, also where the customer's own row is gone already. One that comes back is
-- taken out here.
CREATE TABLE IF NOT EXISTS deleted_customers (
    customer_id VARCHAR,
    deleted_at  TIMESTAMP
);
