"""Has what all variants of a job share read once, and looked up what they all need.

A provider's cache serves nobody before the first request has been answered, and what one has looked
up the others need not. It is a saving only: the job goes on when it fails.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from shared.domain.clock import format_instant
from shared.jobs.admit_command import ARTIFACTS_KEPT
from shared.jobs.charges import JobAccount
from shared.jobs.draft_patch import build_request
from shared.jobs.result_cache import build_key, is_kept
from shared.jobs.rows import load_job
from shared.jobs.world import World
from shared.llm.drafting import ModelDrafter
from shared.llm.survey import Survey, turns_to_plain
from shared.store import artifacts

WARMING_TIME: Final = timedelta(seconds=60)
"""Reading takes seconds, and so does a look; what takes longer delays the drafts by more than it
saves."""


def warm_prompt(order: Mapping[str, Any], world: World) -> dict[str, Any]:
    """Answer `{"warmed", "survey": artifact}`, with `calls` as `draft_patch` does.

    There is no `survey` where nothing was looked up. Said twice, it is read from the cache and
    costs little; what the last one looked up counts.
    """
    job, rows = load_job(world, order["job_id"])
    provider = world.open_provider(JobAccount(world, job, rows[0].number), job.comment)
    if job.cancel_requested or not isinstance(provider, ModelDrafter):
        return {"warmed": False}
    with world.database.read() as connection:
        shown = json.loads(artifacts.get(connection, order["context"]["context"]))
    until = world.clock() + WARMING_TIME
    told: dict[str, Any] = {"deadline": format_instant(until)}
    if "providers" in order:
        told["providers"] = order["providers"]
    with world.snapshots.open(world.ado, job.repository, job.base_commit) as snapshot:
        patches = world.settings.patches
        requests = [build_request(told, job, row, shown, snapshot, patches) for row in rows]
        new = [
            each
            for each in requests
            if order.get("asks_anew") or not is_kept(world, build_key(world, job, each))
        ]
        if len(new) < 2:  # nobody is left who could read what one reads
            return {"warmed": False}
        survey = provider.survey(new[0])
    answer = {"warmed": True, "calls": [outcome.to_plain() for outcome in survey.outcomes]}
    return answer | ({"survey": _keep(world, survey)} if survey.turns else {})


def _keep(world: World, survey: Survey) -> str:
    now = world.clock()
    with world.database.transaction() as connection:
        return artifacts.put(
            connection,
            json.dumps(turns_to_plain(survey.turns)).encode(),
            media_type="application/json",
            at=now,
            expires_at=now + ARTIFACTS_KEPT,
        )
