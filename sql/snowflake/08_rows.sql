-- 8. The sample's rows. The times are UTC's now, so that the first push finds them
-- whatever the session's time zone; running this again makes them new again, and
-- leaves all other rows.
UPDATE customer_health_comprehensive SET calculated_at = SYSDATE(), updated_at = SYSDATE()
WHERE customer_id = 'cust_001' AND model_version = 'v2.1.3';

INSERT INTO customer_health_comprehensive (
    customer_id, email, company_name, health_score, risk_category, confidence_score,
    usage_metrics, financial_metrics, engagement_metrics, model_version, calculated_at, created_at, updated_at
)
SELECT
    'cust_001', 'john.doe@acmecorp.com', 'ACME Corporation', 0.8547, 'low_risk', 0.92,
    PARSE_JSON('{"daily_active_users": 45, "feature_adoption": 0.87, "api_calls_trend": "increasing"}'),
    PARSE_JSON('{"mrr": 12500, "payment_history": "excellent", "contract_renewal_probability": 0.95}'),
    PARSE_JSON('{"support_tickets_30d": 1, "last_login_days_ago": 2, "training_completion": 1.0}'),
    'v2.1.3', SYSDATE(), DATEADD('day', -30, SYSDATE()), SYSDATE()
WHERE NOT EXISTS (SELECT 1 FROM customer_health_comprehensive WHERE customer_id = 'cust_001');

UPDATE customer_health_scores SET last_updated = SYSDATE()
WHERE email IN ('john@acmecorp.com', 'sarah@techstartup.com', 'mike@enterprise.com');

INSERT INTO customer_health_scores (customer_id, email, company_name, health_score, risk_category, last_updated, factors)
SELECT given.customer_id, given.email, given.company_name, given.health_score, given.risk_category, SYSDATE(), PARSE_JSON(given.factors)
FROM (
    SELECT 'cust_001' AS customer_id, 'john@acmecorp.com' AS email, 'ACME Corp' AS company_name, 0.85 AS health_score, 'low' AS risk_category, '{"usage": 0.9, "support": 0.8}' AS factors
    UNION ALL SELECT 'cust_002', 'sarah@techstartup.com', 'TechStartup', 0.45, 'medium', '{"usage": 0.6, "support": 0.3}'
    UNION ALL SELECT 'cust_003', 'mike@enterprise.com', 'Enterprise', 0.15, 'high', '{"usage": 0.2, "support": 0.1}'
) AS given
WHERE given.customer_id NOT IN (SELECT s.customer_id FROM customer_health_scores AS s WHERE s.customer_id IS NOT NULL);

-- The history is only ever appended to, so that its rows are made once: in them the
-- health of one customer fell, which is an alert.
INSERT INTO customer_health_history (customer_id, email, company_name, health_score, risk_category, calculated_at)
SELECT given.customer_id, given.email, given.company_name, given.health_score, given.risk_category, DATEADD('minute', given.minutes, SYSDATE())
FROM (
    SELECT 'cust_003' AS customer_id, 'mike@enterprise.com' AS email, 'Enterprise' AS company_name, 0.4500 AS health_score, 'medium_risk' AS risk_category, -1500 AS minutes
    UNION ALL SELECT 'cust_003', 'mike@enterprise.com', 'Enterprise', 0.1500, 'high_risk', 0
    UNION ALL SELECT 'cust_001', 'john.doe@acmecorp.com', 'ACME Corporation', 0.8547, 'low_risk', 0
) AS given
WHERE given.customer_id NOT IN (SELECT h.customer_id FROM customer_health_history AS h WHERE h.customer_id IS NOT NULL);
