-- Model of the sync customer_profile: booleans, amounts and times as a destination of
-- texts takes them. A boolean that is not known reads as No, as in CASE WHEN x THEN.
SELECT
    customer_id,
    CASE WHEN is_enterprise THEN 'Yes' ELSE 'No' END AS is_enterprise_text,
    -- Half a cent goes up, away from zero; always two digits.
    CAST(CAST(round(monthly_revenue, 2) AS DECIMAL(18, 2)) AS VARCHAR) AS monthly_revenue_formatted,
    -- New York's clock, with its summer time; in autumn an hour of it comes twice.
    strftime(last_login AT TIME ZONE 'UTC' AT TIME ZONE 'America/New_York', '%Y-%m-%d %H:%M:%S') AS last_login_et,
    coalesce(phone_number, 'Not provided') AS phone_display
FROM customer_data
