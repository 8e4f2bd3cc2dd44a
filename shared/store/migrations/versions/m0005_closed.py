"""Nobody but the app reads the tables (Postgres), and `job_summary` sums every job up."""

from alembic import op

from shared.store.migrations.steps import close_schema, close_table, close_view

revision = "0005"
down_revision = "0004"

_TABLES = (
    "jobs",
    "variants",
    "effects",
    "audit_logs",
    "artifacts",
    "usage",
    "result_cache",
    "rate_limits",
    "security_events",
    "alembic_version",
)


def upgrade() -> None:
    """Close schema and tables, and create the view."""
    close_schema()
    for table in _TABLES:
        close_table(table)
    op.execute(_JOB_SUMMARY)
    close_view("job_summary")


_JOB_SUMMARY = """
CREATE VIEW job_summary AS
SELECT
    jobs.id,
    jobs.organisation,
    jobs.project_name,
    jobs.repository_name,
    jobs.pull_request_id,
    jobs.status,
    jobs.actor_id,
    jobs.error_code,
    jobs.created_at,
    jobs.started_at,
    jobs.finished_at,
    jobs.requested_variants,
    count(variants.number) AS variants,
    count(CASE WHEN variants.status = 'success' THEN 1 END) AS successful_variants,
    count(CASE WHEN variants.status = 'duplicate' THEN 1 END) AS duplicate_variants,
    count(CASE WHEN variants.status IN ('failed', 'timeout') THEN 1 END) AS failed_variants,
    count(CASE WHEN variants.status = 'cancelled' THEN 1 END) AS cancelled_variants,
    max(variants.llm_duration_ms) AS longest_llm_duration_ms,
    coalesce(sum(variants.tokens_in), 0) AS tokens_in,
    coalesce(sum(variants.tokens_out), 0) AS tokens_out,
    sum(variants.cost_micro_usd) AS cost_micro_usd
FROM jobs
LEFT JOIN variants ON variants.job_id = jobs.id
GROUP BY jobs.id
"""
