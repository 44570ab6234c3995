-- 4. The models: one row is one record at the destination. Casts of VARIANT are
-- TRY_ functions, so that one odd document is one null and not a failed statement.
-- SYSDATE() is the time now in UTC. Timestamps leave as text in one fixed form: as
-- timestamps they would follow each session's output format, and a watermark is
-- compared as text.

-- What the model salesforce_customer_health reads: the scores of the last day.
CREATE OR REPLACE VIEW recent_customer_health AS
SELECT
    customer_id,
    LOWER(TRIM(email))        AS email,
    UPPER(TRIM(company_name)) AS company_name,
    health_score * 100        AS health_score_pct,
    CASE risk_category
        WHEN 'high'   THEN 'At Risk'
        WHEN 'medium' THEN 'Moderate Risk'
        ELSE 'Healthy'
    END                       AS customer_health_status,
    TRY_TO_DECIMAL(factors:usage::VARCHAR, 3, 2) * 100   AS usage_score_pct,
    TRY_TO_DECIMAL(factors:support::VARCHAR, 3, 2) * 100 AS support_score_pct,
    TO_VARCHAR(last_updated, 'YYYY-MM-DD"T"HH24:MI:SS.FF6"Z"') AS health_score_updated_date
FROM customer_health_scores
WHERE last_updated >= DATEADD('day', -1, SYSDATE())
  AND health_score IS NOT NULL
  AND email IS NOT NULL;

-- What the model sf_health reads: recent scores that the model is sure of, and the
-- customers that are gone, marked as such. Not ordered: Snowflake runs an external function's batches side by side anyway.
CREATE OR REPLACE VIEW salesforce_customer_health_sync AS
WITH metrics AS (
    SELECT
        customer_id,
        email,
        company_name,
        health_score,
        risk_category,
        confidence_score,
        calculated_at,
        updated_at,
        deleted_at,
        TRY_TO_NUMBER(usage_metrics:daily_active_users::VARCHAR)                         AS active_users,
        TRY_TO_DECIMAL(usage_metrics:feature_adoption::VARCHAR, 3, 2)                    AS adoption,
        TRY_TO_NUMBER(financial_metrics:mrr::VARCHAR)                                    AS mrr,
        TRY_TO_DECIMAL(financial_metrics:contract_renewal_probability::VARCHAR, 3, 2)    AS renewal,
        TRY_TO_NUMBER(engagement_metrics:support_tickets_30d::VARCHAR)                   AS tickets,
        TRY_TO_NUMBER(engagement_metrics:last_login_days_ago::VARCHAR)                   AS idle_days
    FROM customer_health_comprehensive
    FULL OUTER JOIN deleted_customers USING (customer_id)
    WHERE deleted_at IS NOT NULL
       OR (calculated_at >= DATEADD('hour', -2, SYSDATE())
           AND health_score IS NOT NULL
           AND confidence_score >= 0.7)
)
SELECT
    customer_id,
    CASE WHEN deleted_at IS NULL THEN LOWER(TRIM(email)) END AS email,
    UPPER(TRIM(company_name))        AS company_name,
    ROUND(health_score * 100, 1)     AS health_score_percentage,
    CASE risk_category
        WHEN 'high_risk'   THEN 'At Risk - Immediate Action Required'
        WHEN 'medium_risk' THEN 'Moderate Risk - Monitor Closely'
        WHEN 'low_risk'    THEN 'Healthy - Expansion Opportunity'
        ELSE 'Score Pending'
    END                              AS health_status_description,
    active_users                     AS daily_active_users,
    ROUND(adoption * 100, 0)         AS feature_adoption_pct,
    mrr                              AS monthly_recurring_revenue,
    ROUND(renewal * 100, 0)          AS renewal_probability_pct,
    tickets                          AS support_tickets_last_30d,
    idle_days                        AS days_since_last_login,
    ROUND(confidence_score * 100, 0) AS score_confidence_pct,
    TO_VARCHAR(calculated_at, 'YYYY-MM-DD"T"HH24:MI:SS.FF6"Z"') AS health_score_calculated_at,
    CASE
        WHEN risk_category = 'high_risk' AND mrr > 10000   THEN 'Schedule executive check-in within 48 hours'
        WHEN risk_category = 'medium_risk' AND tickets > 3 THEN 'Review support ticket themes and offer training'
        WHEN risk_category = 'low_risk' AND adoption > 0.8 THEN 'Excellent expansion opportunity - discuss advanced features'
        ELSE 'Monitor regularly and follow standard cadence'
    END                              AS recommended_action,
    TO_VARCHAR(COALESCE(deleted_at, updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.FF6"Z"') AS updated_at,
    deleted_at IS NOT NULL AS should_delete_from_destination
FROM metrics;

-- What the model intercom_health reads: the scores of the last six hours, with all
-- attributes of a contact in one object and its tags in a list. A tag of what is not
-- known is left out, and so is no tag of the contact. A null stays in the object: it
-- clears the attribute.
CREATE OR REPLACE VIEW intercom_customer_health_sync AS
WITH metrics AS (
    SELECT
        customer_id,
        email,
        health_score,
        risk_category,
        calculated_at,
        updated_at,
        deleted_at,
        financial_metrics:mrr::VARCHAR                                         AS account_value,
        TRY_TO_NUMBER(engagement_metrics:support_tickets_30d::VARCHAR)         AS tickets,
        TRY_TO_NUMBER(engagement_metrics:last_login_days_ago::VARCHAR)         AS idle_days,
        TRY_TO_DECIMAL(engagement_metrics:training_completion::VARCHAR, 3, 2)  AS training,
        TRY_TO_DECIMAL(financial_metrics:mrr::VARCHAR, 18, 2)                  AS mrr
    FROM customer_health_comprehensive
    FULL OUTER JOIN deleted_customers USING (customer_id)
    WHERE deleted_at IS NOT NULL
       OR (calculated_at >= DATEADD('hour', -6, SYSDATE())
           AND email IS NOT NULL)
)
SELECT
    customer_id,
    CASE WHEN deleted_at IS NULL THEN LOWER(TRIM(email)) END AS user_email,
    health_score       AS health_score_decimal,
    risk_category,
    OBJECT_CONSTRUCT_KEEP_NULL(
        'health_percentage', ROUND(health_score * 100, 0)::INT,
        'risk_level', UPPER(risk_category),
        'support_priority', CASE risk_category WHEN 'high_risk' THEN 'high' WHEN 'medium_risk' THEN 'medium' ELSE 'normal' END,
        'recent_support_tickets', tickets,
        'days_since_login', idle_days,
        'training_completed', (training = 1.0),
        'account_value', account_value,
        'last_health_update', TO_VARCHAR(calculated_at, 'YYYY-MM-DD HH24:MI:SS')
    )                  AS custom_attributes,
    ARRAY_CONSTRUCT_COMPACT(
        CASE WHEN health_score >= 0.8 THEN 'health_score_high' WHEN health_score >= 0.6 THEN 'health_score_medium' WHEN health_score IS NOT NULL THEN 'health_score_low' END,
        'risk_' || risk_category,
        CASE WHEN mrr > 5000 THEN 'high_value' ELSE 'standard_value' END
    )                  AS user_tags,
    TO_VARCHAR(COALESCE(deleted_at, updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.FF6"Z"') AS updated_at,
    deleted_at IS NOT NULL AS should_delete_from_destination
FROM metrics;

-- What the model hubspot_health reads: what a customer is worth, as the year's revenue
-- times the probability that the contract is renewed. It stands until the next scoring,
-- so that no row is too old. Without a revenue there is no worth and no segment.
CREATE OR REPLACE VIEW hubspot_customer_health_sync AS
WITH worth AS (
    SELECT
        customer_id,
        email,
        updated_at,
        deleted_at,
        ROUND(TRY_TO_DECIMAL(financial_metrics:mrr::VARCHAR, 15, 2) * 12
            * TRY_TO_DECIMAL(financial_metrics:contract_renewal_probability::VARCHAR, 7, 6), 2) AS ltv
    FROM customer_health_comprehensive
    FULL OUTER JOIN deleted_customers USING (customer_id)
)
SELECT
    customer_id,
    CASE WHEN deleted_at IS NULL THEN LOWER(TRIM(email)) END AS email,
    ltv                AS ltv_usd,
    CASE WHEN ltv > 100000 THEN 'high' WHEN ltv > 25000 THEN 'medium' WHEN ltv IS NOT NULL THEN 'low' END AS ltv_segment,
    TO_VARCHAR(COALESCE(deleted_at, updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.FF6"Z"') AS updated_at,
    deleted_at IS NOT NULL AS should_delete_from_destination
FROM worth;

-- What the model amplitude_health reads: how a customer uses the product, under the id
-- by which the product knows it.
CREATE OR REPLACE VIEW amplitude_customer_health_sync AS
SELECT
    customer_id,
    TRY_TO_NUMBER(usage_metrics:daily_active_users::VARCHAR)      AS daily_active_users,
    TRY_TO_DECIMAL(usage_metrics:feature_adoption::VARCHAR, 3, 2) AS feature_adoption,
    usage_metrics:api_calls_trend::VARCHAR                        AS api_calls_trend,
    TO_VARCHAR(COALESCE(deleted_at, updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.FF6"Z"') AS updated_at,
    deleted_at IS NOT NULL AS should_delete_from_destination
FROM customer_health_comprehensive
FULL OUTER JOIN deleted_customers USING (customer_id);

-- What the model slack_alerts reads: one row per alert of the last hour. Each
-- scoring is compared with the same customer's one before it, however old that
-- is. The three characters that Slack's markup gives a meaning are written out.
CREATE OR REPLACE VIEW slack_health_alerts AS
WITH scorings AS (
    SELECT
        customer_id,
        email,
        company_name,
        health_score,
        risk_category,
        calculated_at,
        LAG(health_score) OVER (PARTITION BY customer_id ORDER BY calculated_at)  AS previous_score,
        LAG(risk_category) OVER (PARTITION BY customer_id ORDER BY calculated_at) AS previous_risk,
        ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY calculated_at) = 1   AS is_first
    FROM customer_health_history
),
alerts AS (
    SELECT
        *,
        CASE
            WHEN NOT is_first AND risk_category = 'high_risk' AND previous_risk <> 'high_risk' THEN 'ESCALATED_TO_HIGH_RISK'
            WHEN health_score - previous_score < -0.2                                          THEN 'SIGNIFICANT_SCORE_DROP'
            WHEN is_first AND risk_category = 'high_risk'                                      THEN 'NEW_HIGH_RISK_CUSTOMER'
        END AS alert_type,
        COALESCE(company_name, 'unknown company') || ' (' || COALESCE(email, 'no email') || ')' AS who
    FROM scorings
    WHERE calculated_at >= DATEADD('hour', -1, SYSDATE())
      AND health_score IS NOT NULL
)
SELECT
    customer_id,
    email,
    company_name,
    alert_type,
    CASE alert_type
        WHEN 'ESCALATED_TO_HIGH_RISK' THEN
            ':warning: *CUSTOMER HEALTH ALERT*' || CHR(10)
            || 'Customer: ' || who || CHR(10)
            || 'Health Status: ' || previous_risk || ' → ' || risk_category || CHR(10)
            || 'Score Change: ' || COALESCE(TO_VARCHAR(ROUND((health_score - previous_score) * 100, 1)), 'unknown') || '%' || CHR(10)
            || 'Action Required: Immediate outreach recommended'
        WHEN 'SIGNIFICANT_SCORE_DROP' THEN
            ':chart_with_downwards_trend: *Health Score Drop Alert*' || CHR(10)
            || 'Customer: ' || who || CHR(10)
            || 'Score dropped by ' || ROUND((previous_score - health_score) * 100, 1) || '% to ' || ROUND(health_score * 100, 1) || '%' || CHR(10)
            || 'Risk Level: ' || COALESCE(risk_category, 'unknown') || CHR(10)
            || 'Recommended: Review recent activity and reach out'
        ELSE
            ':rotating_light: *New High Risk Customer*' || CHR(10)
            || 'Customer: ' || who || CHR(10)
            || 'Initial Health Score: ' || ROUND(health_score * 100, 1) || '%' || CHR(10)
            || 'Action Required: Immediate assessment and outreach'
    END AS slack_message,
    TO_VARCHAR(calculated_at, 'YYYY-MM-DD"T"HH24:MI:SS.FF6"Z"') AS alert_time
FROM alerts
WHERE alert_type IS NOT NULL;
