-- Model of the sync customer_enriched: a customer's health, activity, revenue and support
-- in one row. Each side is summed up by itself before the join: joined first, every event
-- would come once per transaction and ticket, and the sums would be that many times too
-- large. A customer without any has counts and a revenue of 0, and no mean.
WITH health AS ( -- the latest score of each customer; of two of one time the lesser
    SELECT customer_id, health_score, risk_category
    FROM customer_health_scores
    QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY last_updated DESC NULLS LAST, health_score, risk_category) = 1
), activity AS (
    SELECT customer_id, count(event_id) AS events, max(event_timestamp) AS latest
    FROM events
    WHERE event_timestamp >= (CURRENT_TIMESTAMP AT TIME ZONE 'UTC') - INTERVAL 30 DAYS
    GROUP BY customer_id
), revenue AS (
    SELECT customer_id, sum(amount) AS amount, count(DISTINCT transaction_id) AS transactions
    FROM transactions
    WHERE transaction_date >= (CURRENT_TIMESTAMP AT TIME ZONE 'UTC') - INTERVAL 90 DAYS
    GROUP BY customer_id
), support AS (
    SELECT customer_id, avg(satisfaction_score) AS satisfaction, count(ticket_id) AS tickets
    FROM support_tickets
    WHERE created_date >= (CURRENT_TIMESTAMP AT TIME ZONE 'UTC') - INTERVAL 60 DAYS
    GROUP BY customer_id
)
SELECT
    c.customer_id,
    c.email,
    c.company_name,
    h.health_score * 100         AS health_score_pct,
    h.risk_category,
    coalesce(a.events, 0)        AS events_last_30_days,
    a.latest                     AS last_activity_date,
    coalesce(r.amount, 0)        AS revenue_last_90_days,
    coalesce(r.transactions, 0)  AS transactions_last_90_days,
    s.satisfaction               AS avg_satisfaction_score,
    coalesce(s.tickets, 0)       AS support_tickets_last_60_days
FROM customers c
LEFT JOIN health h ON h.customer_id = c.customer_id
LEFT JOIN activity a ON a.customer_id = c.customer_id
LEFT JOIN revenue r ON r.customer_id = c.customer_id
LEFT JOIN support s ON s.customer_id = c.customer_id
WHERE c.status = 'active'
