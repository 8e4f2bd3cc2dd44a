"""What the author of a job was asked and answered."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; jobs that are there have asked nothing."""
    op.add_column("jobs", sa.Column("clarification", sa.JSON(), nullable=True))
