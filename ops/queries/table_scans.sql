-- Tables that are read from end to end: many rows for each scan ask for an index.
SELECT
    relname AS table_name,
    seq_scan AS full_scans,
    CASE WHEN seq_scan = 0 THEN 0 ELSE seq_tup_read / seq_scan END AS rows_per_full_scan,
    coalesce(idx_scan, 0) AS index_scans,
    n_live_tup AS live_rows,
    n_dead_tup AS dead_rows,
    pg_total_relation_size(relid) AS size_bytes
FROM pg_stat_user_tables
WHERE schemaname = 'code_agent'
ORDER BY seq_tup_read DESC, table_name
