"""Which task hub a job runs in."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column; of jobs that are there it is not known."""
    column = sa.Column("task_hub", sa.String(length=50), server_default="", nullable=False)
    op.add_column("jobs", column)
