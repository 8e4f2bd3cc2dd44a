"""The tables, as SQLAlchemy Core sees them. Migrations lead to exactly this: a test compares."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)
from typing_extensions import override

from shared.domain.model_use import UsagePurpose
from shared.domain.security_event import SecurityEventKind
from shared.domain.states import JobStatus, VariantStatus


class UtcDateTime(TypeDecorator[datetime]):
    """An instant in UTC; a naive one is refused rather than guessed at."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(UTC)

    @override
    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        # SQLite keeps no zone: everything was written in UTC
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _one_of(column: str, states: type[StrEnum]) -> str:
    return f"{column} IN ({', '.join(repr(str(state)) for state in states)})"


METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(constraint_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

JOBS = Table(
    "jobs",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("organisation", String(50), nullable=False),
    Column("project_id", String(36), nullable=False),
    Column("repository_id", String(36), nullable=False),
    Column("pull_request_id", Integer, nullable=False),
    Column("thread_id", Integer, nullable=False),
    Column("comment_id", Integer, nullable=False),
    Column("status", String(20), nullable=False),
    Column("intent", Text, nullable=False),
    Column("requested_variants", Integer, nullable=False),
    Column("actor_id", String(64), nullable=False),
    Column("correlation_id", String(64), nullable=False),
    Column("project_name", Text, nullable=False),
    Column("repository_name", Text, nullable=False),
    Column("pull_request_title", Text, nullable=False),
    Column("source_ref", Text, nullable=False),
    Column("base_commit", String(40), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("cancel_requested", Boolean, nullable=False, server_default=false()),
    Column("status_comment_id", Integer),
    Column("error_code", String(100)),
    Column("error_message", Text),
    Column("clarification", JSON(none_as_null=True)),
    Column("task_hub", String(50), nullable=False, server_default=""),
    CheckConstraint(_one_of("status", JobStatus), name="status"),
    CheckConstraint("requested_variants BETWEEN 1 AND 10", name="requested_variants"),
    UniqueConstraint(
        "organisation",
        "project_id",
        "repository_id",
        "pull_request_id",
        "thread_id",
        "comment_id",
        name="comment",
    ),
    Index(None, "created_at"),
    Index(None, "organisation", "repository_id", "pull_request_id"),
)

VARIANTS = Table(
    "variants",
    METADATA,
    Column("job_id", String(40), ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("status", String(20), nullable=False),
    Column("branch", Text, nullable=False),
    Column("strategy", String(100), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("commit_id", String(40)),
    Column("pull_request_id", Integer),
    Column("files_changed", Integer, nullable=False, server_default="0"),
    Column("lines_added", Integer, nullable=False, server_default="0"),
    Column("lines_deleted", Integer, nullable=False, server_default="0"),
    Column("note", Text, nullable=False, server_default=""),
    Column("error_code", String(100)),
    Column("verdict", String(20)),
    Column("patch_digest", String(64)),
    Column("patch_artifact", String(80)),
    Column("llm_provider", String(50)),
    Column("llm_duration_ms", Integer),
    Column("llm_model", String(100)),
    Column("tokens_in", Integer, nullable=False, server_default="0"),
    Column("tokens_cached", Integer, nullable=False, server_default="0"),
    Column("tokens_out", Integer, nullable=False, server_default="0"),
    Column("cost_micro_usd", BigInteger),
    Column("repair_rounds", Integer, nullable=False, server_default="0"),
    Column("from_cache", Boolean, nullable=False, server_default=false()),
    PrimaryKeyConstraint("job_id", "number"),
    CheckConstraint(_one_of("status", VariantStatus), name="status"),
    CheckConstraint("number BETWEEN 1 AND 10", name="number"),
)

EFFECTS = Table(
    "effects",
    METADATA,
    Column("job_id", String(40), nullable=False),
    Column("key", String(80), nullable=False),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("result", JSON(none_as_null=True)),
    PrimaryKeyConstraint("job_id", "key"),
    Index(None, "begun_at"),
)

AUDIT_LOGS = Table(
    "audit_logs",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("job_id", String(40), nullable=False),
    Column("actor_id", String(64), nullable=False),
    Column("action", String(50), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("facts", JSON, nullable=False),
    Index(None, "job_id"),
    Index(None, "at"),
)

ARTIFACTS = Table(
    "artifacts",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("media_type", String(100), nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Index(None, "expires_at"),
)

USAGE = Table(
    "usage",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("job_id", String(40), nullable=False),
    Column("number", Integer),
    Column("organisation", String(50), nullable=False),
    Column("actor_id", String(64), nullable=False),
    Column("purpose", String(20), nullable=False),
    Column("provider", String(50), nullable=False),
    Column("model", String(100), nullable=False),
    Column("tokens_in", Integer, nullable=False),
    Column("tokens_cached", Integer, nullable=False),
    Column("tokens_cache_written", Integer, nullable=False),
    Column("tokens_out", Integer, nullable=False),
    Column("cost_micro_usd", BigInteger),
    Column("duration_ms", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    CheckConstraint(_one_of("purpose", UsagePurpose), name="purpose"),
    Index(None, "job_id"),
    Index(None, "organisation", "at"),
    Index(None, "organisation", "actor_id", "at"),
    Index(None, "at"),
)

RESULT_CACHE = Table(
    "result_cache",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("artifact", String(80), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Index(None, "expires_at"),
)

RATE_LIMITS = Table(
    "rate_limits",
    METADATA,
    Column("scope", String(200), primary_key=True),
    Column("takings", JSON, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index(None, "updated_at"),
)

TURNS = Table(
    "turns",
    METADATA,
    Column("name", String(200), primary_key=True),
    Column("holder", String(40), nullable=False),
    Column("held_until", UtcDateTime, nullable=False),
    Column("state", JSON, nullable=False),
)

SWITCHES = Table(
    "switches",
    METADATA,
    Column("name", String(20), primary_key=True),
    Column("value", JSON, nullable=False),
    Column("note", Text, nullable=False),
    Column("set_at", UtcDateTime, nullable=False),
)

SECURITY_EVENTS = Table(
    "security_events",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(50), nullable=False),
    Column("organisation", String(50), nullable=False),
    Column("job_id", String(40), nullable=False),
    Column("actor_id", String(64), nullable=False),
    Column("facts", JSON, nullable=False),
    CheckConstraint(_one_of("kind", SecurityEventKind), name="kind"),
    Index(None, "at"),
)
