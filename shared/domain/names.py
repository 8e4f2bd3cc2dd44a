"""Names that sit in the histories of running jobs, and the names of what a job leaves behind.

A durable name is a wire contract: never rename one, add `_v2` and drain (docs/decisions.md). A
test holds these enums against what `function_app.app` registers.
"""

import re
from enum import StrEnum
from typing import Final

from shared.domain.comment_ref import CommentRef


class OrchestratorName(StrEnum):
    """Orchestrators, by the name they are registered under."""

    EDIT_JOB = "edit_job"
    PRODUCE_VARIANT = "produce_variant"


class ActivityName(StrEnum):
    """Activities, by the name they are registered under."""

    ADMIT_COMMAND = "admit_command"
    ANSWER_COMMAND = "answer_command"
    ANNOUNCE_JOB = "announce_job"
    LOAD_CONTEXT = "load_context"
    DRAFT_PATCH = "draft_patch"
    PUSH_BRANCH = "push_branch"
    OPEN_DRAFT_PULL_REQUEST = "open_draft_pull_request"
    REPORT_PROGRESS = "report_progress"
    CONCLUDE_JOB = "conclude_job"
    REPLY_RESULT = "reply_result"
    SET_PULL_REQUEST_STATUS = "set_pull_request_status"
    CLOSE_THREAD = "close_thread"
    WAKE_JOBS = "wake_jobs"
    JUDGE_REQUEST = "judge_request"
    ASK_CLARIFICATION = "ask_clarification"
    READ_ANSWER = "read_answer"
    END_CLARIFICATION = "end_clarification"
    WARM_PROMPT = "warm_prompt"


class EntityName(StrEnum):
    """Durable entities."""

    JOB_SLOTS = "job_slots"
    OPEN_QUESTION = "open_question"
    MODEL_CIRCUIT = "model_circuit"


class EventName(StrEnum):
    """External events; one name for each expected message (durable-python issue 507)."""

    SLOT_GRANTED = "slot_granted"
    CANCEL_REQUESTED = "cancel_requested"
    ANSWER_GIVEN = "answer_given"
    """With a number behind it for each wait: `name_answer_event`."""


STUB_PROVIDER: Final = "stub"
"""The provider that asks no model: it is never out, costs nothing and uses no tokens."""

BRANCH_PREFIX: Final = "agents/"
"""Every branch of ours lies under this folder; nothing else is ever pushed."""

VARIANT_BRANCH: Final = re.compile(
    rf"{BRANCH_PREFIX}edit-(?P<pull_request>[0-9]+)-(?P<thread>[0-9]+)-(?P<comment>[0-9]+)"
    r"/v(?P<variant>[0-9]+)"
)
"""What `build_branch` builds."""

OWN_MARKER: Final = "<!-- code-agent"
"""Every comment of ours begins with this (`shared.comments.marker` writes it in full)."""

STATUS_GENRE: Final = "code-agent"
STATUS_NAME: Final = "edit"
"""Pull request status context `code-agent/edit`."""


def name_answer_event(number: int) -> str:
    """Name the event of a job's wait (from 1) for an answer in its thread."""
    return f"{EventName.ANSWER_GIVEN}_{number}"


def is_own_branch(branch: str) -> bool:
    """Answer whether a branch, without `refs/heads/`, lies in our folder."""
    return branch.startswith(BRANCH_PREFIX)


def build_branch(comment: CommentRef, variant: int) -> str:
    """Name the branch of one variant, without `refs/heads/`."""
    return (
        f"{BRANCH_PREFIX}edit-{comment.pull_request_id}-{comment.thread_id}"
        f"-{comment.comment_id}/v{variant}"
    )
