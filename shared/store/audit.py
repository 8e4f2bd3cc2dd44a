"""The table `audit_logs`: who did what when. Append-only; never comment text or an address."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, insert, select

from shared.store.tables import AUDIT_LOGS


class AuditAction(StrEnum):
    """What is worth an entry."""

    JOB_ADMITTED = "job_admitted"
    JOB_REJECTED = "job_rejected"
    JOB_CANCELLED = "job_cancelled"
    CLARIFICATION_ASKED = "clarification_asked"
    CLARIFICATION_ANSWERED = "clarification_answered"
    CLARIFICATION_ASSUMED = "clarification_assumed"
    BRANCH_PUSHED = "branch_pushed"
    PULL_REQUEST_OPENED = "pull_request_opened"
    JOB_CONCLUDED = "job_concluded"
    JOB_RECONCILED = "job_reconciled"
    """Started again or closed, as records and task hub said different things."""
    JOB_REBUILT = "job_rebuilt"
    """Its rows were written anew from what stands on Azure DevOps, by an operator."""
    SWITCH_TURNED = "switch_turned"
    """By an operator; of no job."""
    RECORDS_ERASED = "records_erased"
    """By an operator, for somebody who is named by a pseudonym from then on; of no job."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the log."""

    job_id: str
    actor_id: str
    action: AuditAction
    at: datetime
    facts: Mapping[str, Any]
    """Ids, codes and counts."""


def record(
    connection: Connection,
    *,
    job_id: str,
    actor_id: str,
    action: AuditAction,
    at: datetime,
    facts: Mapping[str, str | int],
) -> None:
    """Append an entry."""
    connection.execute(
        insert(AUDIT_LOGS).values(
            job_id=job_id, actor_id=actor_id, action=str(action), at=at, facts=dict(facts)
        )
    )


def load(connection: Connection, job_id: str) -> list[AuditEntry]:
    """Load the entries of a job, oldest first."""
    query = select(AUDIT_LOGS).where(AUDIT_LOGS.c.job_id == job_id).order_by(AUDIT_LOGS.c.id)
    return [
        AuditEntry(
            row["job_id"], row["actor_id"], AuditAction(row["action"]), row["at"], row["facts"]
        )
        for row in connection.execute(query).mappings()
    ]
