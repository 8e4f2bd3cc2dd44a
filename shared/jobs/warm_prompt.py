"""Has the shared part of a job's prompts read once, before all variants ask for it at once.

A provider's cache serves nobody before the first request has been answered. It is a saving only:
the job goes on when it fails.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from shared.domain.clock import format_instant
from shared.jobs.charges import JobAccount
from shared.jobs.draft_patch import build_request
from shared.jobs.result_cache import build_key, is_kept
from shared.jobs.rows import load_job
from shared.jobs.world import World
from shared.llm.drafting import ModelDrafter
from shared.store import artifacts

WARMING_TIME: Final = timedelta(seconds=60)
"""Reading takes seconds; what takes longer delays the drafts by more than it saves."""


def warm_prompt(order: Mapping[str, Any], world: World) -> dict[str, Any]:
    """Answer `{"warmed"}`, with `calls` as `draft_patch` does.

    Said twice, it is read from the cache and costs little.
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
        requests = [build_request(told, job, row, shown, snapshot) for row in rows]
        new = [each for each in requests if not is_kept(world, build_key(world, job, each))]
        if len(new) < 2:  # nobody is left who could read what one reads
            return {"warmed": False}
        outcomes = provider.warm(new[0])
    return {"warmed": True, "calls": [outcome.to_plain() for outcome in outcomes]}
