-- Statements that take longest on average, with their share of all the time that was spent.
-- Needs the extension pg_stat_statements; values are marks ($1), so nobody's data is shown.
-- Source: https://www.postgresql.org/docs/current/pgstatstatements.html
SELECT
    calls,
    round(mean_exec_time::numeric, 1) AS mean_ms,
    round(max_exec_time::numeric, 1) AS max_ms,
    round((100 * total_exec_time / nullif(sum(total_exec_time) OVER (), 0))::numeric, 1) AS share_percent,
    rows,
    left(regexp_replace(query, '\s+', ' ', 'g'), 200) AS query
FROM pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND mean_exec_time >= :min_ms
ORDER BY mean_exec_time DESC
LIMIT :most
