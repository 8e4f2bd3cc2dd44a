"""What was spent on models, by call and by variant, and results to use again."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables and add the columns; variants that are there have used nothing."""
    for name in ("tokens_in", "tokens_cached", "tokens_out", "repair_rounds"):
        op.add_column("variants", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    op.add_column("variants", sa.Column("llm_model", sa.String(length=100), nullable=True))
    op.add_column("variants", sa.Column("cost_micro_usd", sa.BigInteger(), nullable=True))
    op.add_column(
        "variants", sa.Column("from_cache", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.create_table(
        "usage",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("job_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("organisation", sa.String(length=50), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("provider", sa.String(length=50), nullable=False),
        sa.Column("model", sa.String(length=100), nullable=False),
        sa.Column("tokens_in", sa.Integer(), nullable=False),
        sa.Column("tokens_cached", sa.Integer(), nullable=False),
        sa.Column("tokens_cache_written", sa.Integer(), nullable=False),
        sa.Column("tokens_out", sa.Integer(), nullable=False),
        sa.Column("cost_micro_usd", sa.BigInteger(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "purpose IN ('draft', 'repair', 'warm', 'clarify')", name=op.f("ck_usage_purpose")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage")),
    )
    op.create_index(op.f("ix_usage_job_id"), "usage", ["job_id"])
    op.create_index(op.f("ix_usage_organisation_at"), "usage", ["organisation", "at"])
    op.create_index(
        op.f("ix_usage_organisation_actor_id_at"), "usage", ["organisation", "actor_id", "at"]
    )
    op.create_table(
        "result_cache",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("artifact", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_result_cache")),
    )
    op.create_index(op.f("ix_result_cache_expires_at"), "result_cache", ["expires_at"])
