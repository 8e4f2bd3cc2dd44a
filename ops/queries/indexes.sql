-- Indexes of the app with what each costs and earns; unused and invalid ones first.
-- Counters begin at the last reset of the statistics, which stands beside them.
SELECT
    relation.relname AS table_name,
    name.relname AS index_name,
    CASE
        WHEN NOT entry.indisvalid THEN 'invalid: drop and build again'
        WHEN entry.indisunique THEN 'keeps rows unique'
        WHEN coalesce(counted.idx_scan, 0) = 0 THEN 'never used'
        ELSE 'used'
    END AS verdict,
    coalesce(counted.idx_scan, 0) AS scans,
    pg_relation_size(entry.indexrelid) AS size_bytes,
    (SELECT stats_reset FROM pg_stat_database WHERE datname = current_database()) AS counted_since
FROM pg_index AS entry
JOIN pg_class AS name ON name.oid = entry.indexrelid
JOIN pg_class AS relation ON relation.oid = entry.indrelid
LEFT JOIN pg_stat_user_indexes AS counted ON counted.indexrelid = entry.indexrelid
WHERE name.relnamespace = 'code_agent'::regnamespace
ORDER BY entry.indisvalid, entry.indisunique, scans, size_bytes DESC, index_name
