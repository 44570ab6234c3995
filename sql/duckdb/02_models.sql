-- The models: one row is one record at the destination. A cast of JSON is a
-- TRY_CAST, so that one odd document is one null and not a failed statement.
-- CURRENT_TIMESTAMP AT TIME ZONE 'UTC' is the time now as the tables store it.

-- What the model salesforce_customer_health reads: the scores of the last day.
CREATE OR REPLACE VIEW recent_customer_health AS
SELECT
    customer_id,
    lower(trim(email))        AS email,
    upper(trim(company_name)) AS company_name,
    health_score * 100        AS health_score_pct,
    CASE risk_category
        WHEN 'high'   THEN 'At Risk'
        WHEN 'medium' THEN 'Moderate Risk'
        ELSE 'Healthy'
    END                       AS customer_health_status,
    TRY_CAST(factors->>'usage' AS DECIMAL(3, 2)) * 100   AS usage_score_pct,
    TRY_CAST(factors->>'support' AS DECIMAL(3, 2)) * 100 AS support_score_pct,
    last_updated              AS health_score_updated_date
FROM customer_health_scores
WHERE last_updated >= (CURRENT_TIMESTAMP AT TIME ZONE 'UTC') - INTERVAL 1 DAY
  AND health_score IS NOT NULL
  AND email IS NOT NULL;

-- What the model sf_health reads: recent scores that the model is sure of, and the
-- customers that are gone, marked as such. Not ordered: batches overtake each other on
-- the road, and the sort would take as long as all the rest.
CREATE OR REPLACE VIEW salesforce_customer_health_sync AS
WITH metrics AS (
    SELECT
        *,
        TRY_CAST(usage_metrics->>'daily_active_users' AS BIGINT)                         AS active_users,
        TRY_CAST(usage_metrics->>'feature_adoption' AS DECIMAL(3, 2))                    AS adoption,
        TRY_CAST(financial_metrics->>'mrr' AS BIGINT)                                    AS mrr,
        TRY_CAST(financial_metrics->>'contract_renewal_probability' AS DECIMAL(3, 2))    AS renewal,
        TRY_CAST(engagement_metrics->>'support_tickets_30d' AS INTEGER)                  AS tickets,
        TRY_CAST(engagement_metrics->>'last_login_days_ago' AS INTEGER)                  AS idle_days
    FROM customer_health_comprehensive
    FULL JOIN deleted_customers USING (customer_id)
    WHERE deleted_at IS NOT NULL
       OR (calculated_at >= (CURRENT_TIMESTAMP AT TIME ZONE 'UTC') - INTERVAL 2 HOURS
           AND health_score IS NOT NULL
           AND confidence_score >= 0.7)
)
SELECT
    customer_id,
    CASE WHEN deleted_at IS NULL THEN lower(trim(email)) END AS email,
    upper(trim(company_name))       AS company_name,
    round(health_score * 100, 1)    AS health_score_percentage,
    CASE risk_category
        WHEN 'high_risk'   THEN 'At Risk - Immediate Action Required'
        WHEN 'medium_risk' THEN 'Moderate Risk - Monitor Closely'
        WHEN 'low_risk'    THEN 'Healthy - Expansion Opportunity'
        ELSE 'Score Pending'
    END                             AS health_status_description,
    active_users                    AS daily_active_users,
    round(adoption * 100, 0)        AS feature_adoption_pct,
    mrr                             AS monthly_recurring_revenue,
    round(renewal * 100, 0)         AS renewal_probability_pct,
    tickets                         AS support_tickets_last_30d,
    idle_days                       AS days_since_last_login,
    round(confidence_score * 100, 0) AS score_confidence_pct,
    calculated_at                   AS health_score_calculated_at,
    CASE
        WHEN risk_category = 'high_risk' AND mrr > 10000    THEN 'Schedule executive check-in within 48 hours'
        WHEN risk_category = 'medium_risk' AND tickets > 3  THEN 'Review support ticket themes and offer training'
        WHEN risk_category = 'low_risk' AND adoption > 0.8  THEN 'Excellent expansion opportunity - discuss advanced features'
        ELSE 'Monitor regularly and follow standard cadence'
    END                             AS recommended_action,
    coalesce(deleted_at, updated_at) AS updated_at,
    deleted_at IS NOT NULL          AS should_delete_from_destination
FROM metrics;

-- What the model intercom_health reads: the scores of the last six hours, with all
-- attributes of a contact in one object and its tags in a list. A tag of what is not
-- known is left out, and so is no tag of the contact.
CREATE OR REPLACE VIEW intercom_customer_health_sync AS
WITH metrics AS (
    SELECT
        *,
        TRY_CAST(engagement_metrics->>'support_tickets_30d' AS INTEGER)        AS tickets,
        TRY_CAST(engagement_metrics->>'last_login_days_ago' AS INTEGER)        AS idle_days,
        TRY_CAST(engagement_metrics->>'training_completion' AS DECIMAL(3, 2))  AS training,
        TRY_CAST(financial_metrics->>'mrr' AS DECIMAL(18, 2))                  AS mrr
    FROM customer_health_comprehensive
    FULL JOIN deleted_customers USING (customer_id)
    WHERE deleted_at IS NOT NULL
       OR (calculated_at >= (CURRENT_TIMESTAMP AT TIME ZONE 'UTC') - INTERVAL 6 HOURS
           AND email IS NOT NULL)
)
SELECT
    customer_id,
    CASE WHEN deleted_at IS NULL THEN lower(trim(email)) END AS user_email,
    health_score       AS health_score_decimal,
    risk_category,
    json_object(
        'health_percentage', CAST(round(health_score * 100, 0) AS INTEGER),
        'risk_level', upper(risk_category),
        'support_priority', CASE risk_category WHEN 'high_risk' THEN 'high' WHEN 'medium_risk' THEN 'medium' ELSE 'normal' END,
        'recent_support_tickets', tickets,
        'days_since_login', idle_days,
        'training_completed', (training = 1.0),
        'account_value', financial_metrics->>'mrr',
        'last_health_update', strftime(calculated_at, '%Y-%m-%d %H:%M:%S')
    )                  AS custom_attributes,
    list_filter([
        CASE WHEN health_score >= 0.8 THEN 'health_score_high' WHEN health_score >= 0.6 THEN 'health_score_medium' WHEN health_score IS NOT NULL THEN 'health_score_low' END,
        'risk_' || risk_category,
        CASE WHEN mrr > 5000 THEN 'high_value' ELSE 'standard_value' END
    ], lambda tag: tag IS NOT NULL) AS user_tags,
    coalesce(deleted_at, updated_at) AS updated_at,
    deleted_at IS NOT NULL AS should_delete_from_destination
FROM metrics;

-- What the model hubspot_health reads: what a customer is worth, as the year's revenue
-- times the probability that the contract is renewed. It stands until the next scoring,
-- so that no row is too old. Without a revenue there is no worth and no segment.
CREATE OR REPLACE VIEW hubspot_customer_health_sync AS
WITH worth AS (
    SELECT
        *,
        round(TRY_CAST(financial_metrics->>'mrr' AS DECIMAL(15, 2)) * 12
            * TRY_CAST(financial_metrics->>'contract_renewal_probability' AS DECIMAL(7, 6)), 2) AS ltv
    FROM customer_health_comprehensive
    FULL JOIN deleted_customers USING (customer_id)
)
SELECT
    customer_id,
    CASE WHEN deleted_at IS NULL THEN lower(trim(email)) END AS email,
    ltv                AS ltv_usd,
    CASE WHEN ltv > 100000 THEN 'high' WHEN ltv > 25000 THEN 'medium' WHEN ltv IS NOT NULL THEN 'low' END AS ltv_segment,
    coalesce(deleted_at, updated_at) AS updated_at,
    deleted_at IS NOT NULL AS should_delete_from_destination
FROM worth;

-- What the model amplitude_health reads: how a customer uses the product, under the id
-- by which the product knows it.
CREATE OR REPLACE VIEW amplitude_customer_health_sync AS
SELECT
    customer_id,
    TRY_CAST(usage_metrics->>'daily_active_users' AS BIGINT)      AS daily_active_users,
    TRY_CAST(usage_metrics->>'feature_adoption' AS DECIMAL(3, 2)) AS feature_adoption,
    usage_metrics->>'api_calls_trend'                             AS api_calls_trend,
    coalesce(deleted_at, updated_at)                              AS updated_at,
    deleted_at IS NOT NULL                                        AS should_delete_from_destination
FROM customer_health_comprehensive
FULL JOIN deleted_customers USING (customer_id);

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
        lag(health_score) OVER customer  AS previous_score,
        lag(risk_category) OVER customer AS previous_risk,
        row_number() OVER customer = 1   AS is_first
    FROM customer_health_history
    WINDOW customer AS (PARTITION BY customer_id ORDER BY calculated_at)
),
alerts AS (
    SELECT
        *,
        CASE
            WHEN NOT is_first AND risk_category = 'high_risk' AND previous_risk <> 'high_risk' THEN 'ESCALATED_TO_HIGH_RISK'
            WHEN health_score - previous_score < -0.2                                          THEN 'SIGNIFICANT_SCORE_DROP'
            WHEN is_first AND risk_category = 'high_risk'                                      THEN 'NEW_HIGH_RISK_CUSTOMER'
        END AS alert_type,
        coalesce(company_name, 'unknown company') || ' (' || coalesce(email, 'no email') || ')' AS who
    FROM scorings
    WHERE calculated_at >= (CURRENT_TIMESTAMP AT TIME ZONE 'UTC') - INTERVAL 1 HOUR
      AND health_score IS NOT NULL
)
SELECT
    customer_id,
    email,
    company_name,
    alert_type,
    CASE alert_type
        WHEN 'ESCALATED_TO_HIGH_RISK' THEN
            ':warning: *CUSTOMER HEALTH ALERT*' || chr(10)
            || 'Customer: ' || who || chr(10)
            || 'Health Status: ' || previous_risk || ' → ' || risk_category || chr(10)
            || 'Score Change: ' || coalesce(CAST(round((health_score - previous_score) * 100, 1) AS VARCHAR), 'unknown') || '%' || chr(10)
            || 'Action Required: Immediate outreach recommended'
        WHEN 'SIGNIFICANT_SCORE_DROP' THEN
            ':chart_with_downwards_trend: *Health Score Drop Alert*' || chr(10)
            || 'Customer: ' || who || chr(10)
            || 'Score dropped by ' || round((previous_score - health_score) * 100, 1) || '% to ' || round(health_score * 100, 1) || '%' || chr(10)
            || 'Risk Level: ' || coalesce(risk_category, 'unknown') || chr(10)
            || 'Recommended: Review recent activity and reach out'
        ELSE
            ':rotating_light: *New High Risk Customer*' || chr(10)
            || 'Customer: ' || who || chr(10)
            || 'Initial Health Score: ' || round(health_score * 100, 1) || '%' || chr(10)
            || 'Action Required: Immediate assessment and outreach'
    END           AS slack_message,
    calculated_at AS alert_time
FROM alerts
WHERE alert_type IS NOT NULL
ORDER BY CASE alert_type WHEN 'ESCALATED_TO_HIGH_RISK' THEN 1 WHEN 'NEW_HIGH_RISK_CUSTOMER' THEN 2 ELSE 3 END, alert_time DESC;
