SELECT
    customer_id,
    CASE WHEN is_enterprise THEN 'Yes' ELSE 'No' END AS is_enterprise_text,
    -- Half a cent goes up, away from zero; always two digits.
    ROUND(monthly_revenue, 2)::DECIMAL(18, 2)::VARCHAR AS monthly_revenue_formatted,
    -- New York's clock, with its summer time; in autumn an hour of it comes twice.
    TO_VARCHAR(CONVERT_TIMEZONE('UTC', 'America/New_York', last_login), 'YYYY-MM-DD HH24:MI:SS') AS last_login_et,
    COALESCE(phone_number, 'Not provided') AS phone_display
FROM customer_data
