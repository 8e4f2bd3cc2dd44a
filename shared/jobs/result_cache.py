"""Takes an earlier result where the same question was asked of the same models not long ago.

The key is everything that the answer depends on, whom a variant asks first among it; the result of
a provider that only stood in for that one is not kept. What is kept are the edits as they were
written: they are applied and checked anew, so a result that does not fit any more is no result.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import timedelta

from shared.domain.job import Job
from shared.jobs.admit_command import ARTIFACTS_KEPT
from shared.jobs.world import World
from shared.llm.chain import order_for_variant
from shared.llm.prompt import PROMPT_VERSION
from shared.llm.provider import Draft, DraftRequest, Usage
from shared.patching.errors import PatchError
from shared.settings import ModelSource
from shared.store import artifacts, result_cache


def build_key(world: World, job: Job, request: DraftRequest) -> str | None:
    """Build the key of one variant's question; None where nothing is kept."""
    settings = world.settings.models
    if world.is_by_hand(job.comment) or not settings.result_cache_s:
        return None
    asked = {
        "organisation": job.comment.organisation.lower(),
        "repository": job.comment.repository_id,
        "commit": job.base_commit,
        "request": " ".join(request.intent.split()),
        "strategy": request.strategy,
        "variants": request.variants,
        "models": [
            [
                *(source.provider, source.model, source.base_url, source.api_version),
                *(source.api, source.temperature, source.effort),
            ]
            for source in _order_sources(world, request)
        ],
        "parameters": [
            settings.edit_format,
            settings.max_output_tokens,
            settings.tool_rounds,
            settings.tool_tokens,
        ],
        "prompt": PROMPT_VERSION,
        "shown": [
            request.context_text,
            request.pull_request,
            request.thread_path,
            request.thread_lines,
        ],
    }
    text = json.dumps(asked, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _order_sources(world: World, request: DraftRequest) -> Sequence[ModelSource]:
    is_spread = world.settings.models.spreads_variants
    return order_for_variant(world.choose_sources(), request.variant, is_spread=is_spread)


def is_kept(world: World, key: str | None) -> bool:
    """Answer whether there is a result, without a look at whether it still fits."""
    if key is None:
        return False
    with world.database.read() as connection:
        return result_cache.find(connection, key, world.clock()) is not None


def find_result(world: World, key: str | None, request: DraftRequest) -> Draft | None:
    """Find a result that still fits; None where there is none."""
    if key is None:
        return None
    with world.database.read() as connection:
        reference = result_cache.find(connection, key, world.clock())
        if reference is None:
            return None
        kept = json.loads(artifacts.get(connection, reference))
    try:
        patch = request.apply(kept["edits"], kept["edit_format"])
    except PatchError:
        return None
    return Draft(
        edits=kept["edits"],
        edit_format=kept["edit_format"],
        patch=patch,
        summary=kept["summary"],
        usage=Usage(),
        provider=kept["provider"],
        model=kept["model"],
    )


def keep_result(world: World, key: str | None, request: DraftRequest, draft: Draft) -> None:
    """Keep a result that fits and passed its checks, for as long as the settings say.

    Whoever asks the same later, when the first provider serves again, is not given another one's.
    """
    if key is None or draft.provider != _order_sources(world, request)[0].provider:
        return
    body = {
        "edits": draft.edits,
        "edit_format": draft.edit_format,
        "summary": draft.summary,
        "provider": draft.provider,
        "model": draft.model,
    }
    now = world.clock()
    with world.database.transaction() as connection:
        reference = artifacts.put(
            connection,
            json.dumps(body).encode(),
            media_type="application/json",
            at=now,
            expires_at=now + ARTIFACTS_KEPT,
        )
        expires_at = now + timedelta(seconds=world.settings.models.result_cache_s)
        result_cache.keep(connection, key, reference, now, expires_at)
