"""Takes the snapshot of the base commit and chooses what the model is shown of it."""

import json
import secrets
from collections.abc import Mapping
from typing import Any, Final

from shared.ado.pull_requests import fetch_changed_paths
from shared.context.cards import CardCache
from shared.context.index import build_index
from shared.context.pack import build_context
from shared.context.request import ContextRequest
from shared.domain.errors import JobError
from shared.jobs.admit_command import ARTIFACTS_KEPT
from shared.jobs.rows import load_job
from shared.jobs.world import World
from shared.store import artifacts

_CARDS: Final = CardCache(max_bytes=64 * 1024 * 1024)
"""By content, so that the next command on a repository counts only the words that are new."""


def load_context(order: Mapping[str, Any], world: World) -> dict[str, Any]:
    """Answer `{"context": artifact}`: the ranked paths and the text that every variant is shown."""
    job, _ = load_job(world, order["job_id"])
    if job.cancel_requested:
        raise JobError("job.cancelled", "The job was cancelled.")
    with world.database.read() as connection:
        described = json.loads(artifacts.get(connection, order["request"]))
    repository = job.repository
    changed = fetch_changed_paths(
        world.ado,
        repository,
        base_commit=described["target_commit"],
        head_commit=job.base_commit,
    )
    lines = described["thread_lines"]
    request = ContextRequest(
        # what was answered, not what could have been: options name files of their own
        text="\n".join((job.intent, job.clarification.reading or "")),
        title=described["title"],
        description=described["description"],
        changed_paths=tuple(change.path for change in changed),
        thread_path=described["thread_path"],
        thread_lines=(lines[0], lines[1]) if lines else None,
    )
    with world.snapshots.open(world.ado, repository, job.base_commit) as snapshot:
        index = build_index(snapshot, cards=_CARDS)
        pack = build_context(snapshot, index, request, budget_tokens=world.settings.context_tokens)
    shown = {
        "ranked_paths": [file.path for file in pack.ranked[:200]],
        "changed_paths": list(request.changed_paths[:200]),
        "text": pack.render(),
        "thread_path": request.thread_path,
        "thread_lines": list(request.thread_lines) if request.thread_lines else None,
        "pull_request": "\n\n".join(filter(None, (request.title, request.description))),
        # chosen when all that will stand between the marks is fixed: nobody can have written it
        "nonce": secrets.token_hex(8),
    }
    now = world.clock()
    with world.database.transaction() as connection:
        reference = artifacts.put(
            connection,
            json.dumps(shown, sort_keys=True).encode(),
            media_type="application/json",
            at=now,
            expires_at=now + ARTIFACTS_KEPT,
        )
    return {"context": reference}
