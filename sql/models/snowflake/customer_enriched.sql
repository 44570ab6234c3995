WITH health AS ( -- the latest score of each customer; of two of one time the lesser
    SELECT customer_id, health_score, risk_category
    FROM customer_health_scores
    QUALIFY ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY last_updated DESC NULLS LAST, health_score, risk_category) = 1
), activity AS (
    SELECT customer_id, COUNT(event_id) AS events, MAX(event_timestamp) AS latest
    FROM events
    WHERE event_timestamp >= DATEADD('day', -30, SYSDATE())
    GROUP BY customer_id
), revenue AS (
    SELECT customer_id, SUM(amount) AS amount, COUNT(DISTINCT transaction_id) AS transactions
    FROM transactions
    WHERE transaction_date >= DATEADD('day', -90, SYSDATE())
    GROUP BY customer_id
), support AS (
    SELECT customer_id, AVG(satisfaction_score) AS satisfaction, COUNT(ticket_id) AS tickets
    FROM support_tickets
    WHERE created_date >= DATEADD('day', -60, SYSDATE())
    GROUP BY customer_id
)
SELECT
    c.customer_id,
    c.email,
    c.company_name,
    h.health_score * 100         AS health_score_pct,
    h.risk_category,
    COALESCE(a.events, 0)        AS events_last_30_days,
    a.latest                     AS last_activity_date,
    COALESCE(r.amount, 0)        AS revenue_last_90_days,
    COALESCE(r.transactions, 0)  AS transactions_last_90_days,
    s.satisfaction               AS avg_satisfaction_score,
    COALESCE(s.tickets, 0)       AS support_tickets_last_60_days
FROM customers c
LEFT JOIN health h ON h.customer_id = c.customer_id
LEFT JOIN activity a ON a.customer_id = c.customer_id
LEFT JOIN revenue r ON r.customer_id = c.customer_id
LEFT JOIN support s ON s.customer_id = c.customer_id
WHERE c.status = 'active'
