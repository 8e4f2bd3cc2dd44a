"""Takes the snapshot of the base commit and chooses what the model is shown of it."""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from shared.ado.diffs import Changes, LineRange, fetch_changed_lines, fetch_changes
from shared.ado.errors import AdoError
from shared.context.cards import CardCache
from shared.context.index import build_index
from shared.context.pack import build_context
from shared.context.ranking import RankedFile, rank_files
from shared.context.request import ContextRequest
from shared.context.visibility import read_text
from shared.domain.errors import JobError
from shared.domain.job import Job
from shared.jobs.admit_command import ARTIFACTS_KEPT
from shared.jobs.rows import load_job
from shared.jobs.world import World
from shared.store import artifacts
from shared.telemetry.emit import emit
from shared.telemetry.events import ContextIncomplete

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
    changes = fetch_changes(
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
        changed_paths=tuple(file.path for file in changes.files),
        thread_path=described["thread_path"],
        thread_lines=(lines[0], lines[1]) if lines else None,
    )
    with world.snapshots.open(world.ado, repository, job.base_commit) as snapshot:
        index = build_index(snapshot, cards=_CARDS)
        ranked = rank_files(index, request)
        edited = _list_edited(changes, snapshot, ranked)
        request = replace(request, changed_lines=_find_changed_lines(world, job, changes, edited))
        pack = build_context(
            snapshot,
            index,
            request,
            budget_tokens=world.settings.context_tokens,
            ranked=ranked,
        )
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


def _list_edited(
    changes: Changes, files: Mapping[str, bytes], ranked: Sequence[RankedFile]
) -> Iterator[str]:
    """List what the pull request edits and the model may be shown, the best first."""
    edited = {file.path for file in changes.files if file.is_edited}
    for file in ranked:
        if file.path in edited and read_text(files, file.path) is not None:
            yield file.path


def _find_changed_lines(
    world: World, job: Job, changes: Changes, paths: Iterator[str]
) -> dict[str, list[LineRange]]:
    """Find which lines the pull request changes; nothing, where that cannot be found out."""
    try:
        return fetch_changed_lines(world.ado, job.repository, changes, paths)
    except AdoError as error:
        if error.code == "ado.rate_limited":  # the next call has to wait as well
            raise
        emit(
            ContextIncomplete(
                jobId=job.id,
                correlationId=job.correlation_id,
                missing="changed_lines",
                reason=error.code,
            )
        )
        return {}
