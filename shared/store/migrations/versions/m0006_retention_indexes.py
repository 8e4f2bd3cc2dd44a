"""Indexes by which retention finds what is old."""

from shared.store.migrations.steps import create_index_live

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Build the indexes."""
    create_index_live("ix_effects_begun_at", "effects", ["begun_at"])
    create_index_live("ix_audit_logs_at", "audit_logs", ["at"])
    create_index_live("ix_usage_at", "usage", ["at"])
