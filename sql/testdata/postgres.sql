-- What PostgreSQL needs to run Redshift's scripts: stand-ins for what Redshift has and
-- PostgreSQL has not. Tests only. Each says what it stands for, and no more is claimed.

-- SUPER is JSON here; navigation (p.answer.syncs) is written by the test as JSON paths.
CREATE DOMAIN super AS jsonb;
CREATE FUNCTION json_parse(text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS 'SELECT CAST($1 AS jsonb)';
-- Of NULL Redshift makes the text null.
CREATE FUNCTION json_serialize(jsonb) RETURNS varchar LANGUAGE sql IMMUTABLE AS $$SELECT COALESCE(CAST($1 AS text), 'null')$$;
CREATE FUNCTION len(text) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT length($1)';
CREATE FUNCTION json_size(jsonb) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT octet_length(CAST($1 AS text))';
CREATE FUNCTION object(VARIADIC "any") RETURNS jsonb LANGUAGE internal STABLE AS 'jsonb_build_object';
-- With TRUE a text that is no JSON is NULL; here it is an error, which no test wants.
CREATE FUNCTION json_extract_path_text(text, text, boolean) RETURNS varchar LANGUAGE sql IMMUTABLE AS $$SELECT COALESCE(CAST($1 AS jsonb) ->> $2, '')$$;
CREATE FUNCTION json_extract_path_text(text, text) RETURNS varchar LANGUAGE sql IMMUTABLE AS $$SELECT COALESCE(CAST($1 AS jsonb) ->> $2, '')$$;
CREATE FUNCTION json_extract_path_text(text, text, text, boolean) RETURNS varchar LANGUAGE sql IMMUTABLE AS $$SELECT COALESCE(CAST($1 AS jsonb) -> $2 ->> $3, '')$$;
CREATE FUNCTION can_json_parse(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    PERFORM CAST($1 AS jsonb);
    RETURN TRUE;
EXCEPTION WHEN OTHERS THEN
    RETURN FALSE;
END $$;

-- Times: GETDATE() and SYSDATE are in the session's time zone, and DATEDIFF counts the
-- units that begin between two times.
CREATE FUNCTION getdate() RETURNS timestamp LANGUAGE sql STABLE AS 'SELECT CAST(now() AS timestamp)';
CREATE FUNCTION datediff(unit text, since timestamp, until timestamp) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE rtrim(unit, 's')
        WHEN 'second' THEN CAST(floor(extract(epoch FROM until)) - floor(extract(epoch FROM since)) AS bigint)
        WHEN 'minute' THEN CAST(floor(extract(epoch FROM until) / 60) - floor(extract(epoch FROM since) / 60) AS bigint)
        WHEN 'hour' THEN CAST(floor(extract(epoch FROM until) / 3600) - floor(extract(epoch FROM since) / 3600) AS bigint)
        WHEN 'day' THEN CAST(floor(extract(epoch FROM until) / 86400) - floor(extract(epoch FROM since) / 86400) AS bigint)
    END $$;
CREATE FUNCTION round(double precision, integer) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT round(CAST($1 AS numeric), $2)';

-- TRY_CAST(x AS FLOAT8) is written penstock_try_FLOAT8(x) by the test.
CREATE FUNCTION penstock_try_float8(text) RETURNS double precision LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CAST($1 AS double precision);
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END $$;
CREATE FUNCTION penstock_try_timestamp(text) RETURNS timestamp LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CAST($1 AS timestamp);
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END $$;
CREATE FUNCTION penstock_try_timestamptz(text) RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CAST($1 AS timestamptz);
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END $$;
CREATE FUNCTION penstock_try_date(text) RETURNS date LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CAST($1 AS date);
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END $$;

-- Catalogues.
CREATE VIEW svv_roles AS SELECT rolname AS role_name FROM pg_roles;
CREATE VIEW pg_proc_info AS SELECT oid AS prooid, proname, pronamespace, proargtypes, prokind FROM pg_proc;

-- A Lambda: each call goes to the test as {"function", "arguments"}, whose answer is the
-- function's. A status other than 200 is an error, as error_msg is on Redshift.
CREATE FUNCTION penstock_lambda(function text, arguments jsonb) RETURNS varchar LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_answer text;
BEGIN
    CREATE TEMPORARY TABLE IF NOT EXISTS lambda_answers (answer text) ON COMMIT DELETE ROWS;
    DELETE FROM lambda_answers;
    EXECUTE format('COPY lambda_answers FROM PROGRAM %L WITH (FORMAT csv, DELIMITER E''\x01'', QUOTE E''\x02'', NULL E''\x03'')',
        'curl --silent --show-error --fail-with-body --max-time 60 --data-binary @- --url ' || current_setting('penstock.lambda')
        || ' <<''PENSTOCK_BODY''' || chr(10) || CAST(jsonb_build_object('function', function, 'arguments', arguments) AS text) || chr(10) || 'PENSTOCK_BODY' || chr(10));
    SELECT answer INTO v_answer FROM lambda_answers;
    DELETE FROM lambda_answers;
    IF v_answer LIKE 'error: %' THEN
        RAISE EXCEPTION '%', substr(v_answer, 8);
    END IF;
    RETURN NULLIF(v_answer, 'null');
END $$;
