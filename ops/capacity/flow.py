"""The way of a job in its steps, and what each of them asks of others.

The order is that of `orchestrators.edit_job` and `produce_variant`; a test holds it against the
recorded histories. Calls to Azure DevOps are those of `python -m benchmarks.job`: 12 + 3N for a job
of N variants, all that a new commit needs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.domain.names import ActivityName as A


@dataclass(frozen=True, slots=True)
class Demand:
    """What one run of an activity asks of others."""

    ado_calls: int = 0
    transactions: int = 2
    """With the database: most steps read the job and write what became of it."""
    model_turns: str = ""
    """Which field of the load says how many calls to the model it makes; empty: none."""


BEFORE_CONTEXT: Final = (A.ANNOUNCE_JOB, A.SET_PULL_REQUEST_STATUS, A.LOAD_CONTEXT)
VARIANT: Final = (A.DRAFT_PATCH, A.PUSH_BRANCH, A.OPEN_DRAFT_PULL_REQUEST)
CONCLUSION: Final = (
    A.CONCLUDE_JOB,
    A.REPORT_PROGRESS,
    A.REPLY_RESULT,
    A.SET_PULL_REQUEST_STATUS,
    A.CLOSE_THREAD,
)

DEMANDS: Final[Mapping[A, Demand]] = {
    A.ADMIT_COMMAND: Demand(ado_calls=4, transactions=4),
    A.ANNOUNCE_JOB: Demand(ado_calls=1),
    A.SET_PULL_REQUEST_STATUS: Demand(ado_calls=1),
    A.LOAD_CONTEXT: Demand(ado_calls=3, transactions=3),
    A.JUDGE_REQUEST: Demand(model_turns="judge_turns"),
    A.WARM_PROMPT: Demand(model_turns="survey_turns"),
    A.DRAFT_PATCH: Demand(transactions=4, model_turns="draft_turns"),
    A.PUSH_BRANCH: Demand(ado_calls=1),
    A.OPEN_DRAFT_PULL_REQUEST: Demand(ado_calls=1),
    # one for each variant: as the variants end, and once at the end
    A.REPORT_PROGRESS: Demand(ado_calls=1),
    A.CONCLUDE_JOB: Demand(transactions=4),
    A.REPLY_RESULT: Demand(ado_calls=1),
    A.CLOSE_THREAD: Demand(ado_calls=1),
    A.WAKE_JOBS: Demand(transactions=0),
}


def list_steps(variants: int) -> list[A]:
    """List the activities of a job that neither waits for a slot nor fails, in their order."""
    steps = [A.ADMIT_COMMAND, *BEFORE_CONTEXT, A.JUDGE_REQUEST]
    if variants > 1:
        steps.append(A.WARM_PROMPT)
    steps += VARIANT * variants
    steps += [A.REPORT_PROGRESS] * (variants - 1)
    return [*steps, *CONCLUSION]


def count_entity_calls(variants: int) -> int:
    """Count the calls to entities of such a job: its slot twice, a circuit for each model step."""
    return 2 + 1 + (variants > 1) + variants


def count_ado_calls(variants: int) -> int:
    """Count the calls to Azure DevOps of such a job."""
    return sum(DEMANDS[step].ado_calls for step in list_steps(variants))


def count_episodes(variants: int) -> int:
    """Count how often the host runs an orchestrator or an entity for such a job."""
    activities = len(list_steps(variants))
    # a call to an entity runs the entity and then the caller; each variant begins, and its end
    # is heard by the job
    return 1 + activities + 2 * count_entity_calls(variants) + 2 * variants
