-- What a dump of the same snapshot holds, as one line of JSON: counts and instants, nothing about people.
SELECT json_build_object(
  'recovery_point', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
  'schema_step', (SELECT version_num FROM code_agent.alembic_version),
  'server_version', current_setting('server_version_num')::int,
  'newest_job', (SELECT id FROM code_agent.jobs ORDER BY created_at DESC, id LIMIT 1),
  'open_jobs', (SELECT count(*) FROM code_agent.jobs WHERE status IN ('queued', 'running')),
  'rows', (
    SELECT json_object_agg(
      tablename,
      (xpath('/row/c/text()', query_to_xml(format('SELECT count(*) AS c FROM code_agent.%I', tablename), false, true, '')))[1]::text::bigint
      ORDER BY tablename
    )
    FROM pg_tables WHERE schemaname = 'code_agent'
  )
);
