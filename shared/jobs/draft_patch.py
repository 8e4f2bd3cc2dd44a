"""Asks the model for one variant's change, applies and checks it in memory, keeps the result."""

import base64
import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from shared.domain.change import ChangeKind, FileChange
from shared.domain.clock import parse_instant
from shared.domain.errors import JobError
from shared.domain.job import Job, Variant
from shared.domain.states import VariantStatus
from shared.jobs.admit_command import ARTIFACTS_KEPT
from shared.jobs.rows import require_open
from shared.jobs.world import World
from shared.llm.provider import Draft, DraftRequest
from shared.patching.apply import AppliedPatch, apply_edits
from shared.patching.rules import PatchRules
from shared.patching.script import EditFormat
from shared.store import artifacts, variants


def draft_patch(order: Mapping[str, Any], world: World) -> dict[str, Any]:
    """Draft one variant; answers `{"patch": artifact}`, when repeated the first one's."""
    deadline = parse_instant(order["deadline"])
    with world.database.transaction() as connection:
        now = world.clock()
        job, variant = require_open(
            connection, order["job_id"], order["number"], until=deadline, now=now
        )
        if variant.patch_artifact is not None:
            return {"patch": variant.patch_artifact}
        variants.move_variant(
            connection,
            job.id,
            variant.number,
            VariantStatus.DRAFTING,
            at=now,
            started_at=variant.started_at or now,
        )
        shown = json.loads(artifacts.get(connection, order["context"]["context"]))
    began = time.monotonic()
    draft, patch = _ask(order, world, job, variant, shown)
    duration_ms = int(1000 * (time.monotonic() - began))
    return _keep(world, job, variant, (draft, patch, duration_ms))


def _ask(
    order: Mapping[str, Any],
    world: World,
    job: Job,
    variant: Variant,
    shown: Mapping[str, Any],
) -> tuple[Draft, AppliedPatch]:
    lines = shown["thread_lines"]
    with world.snapshots.open(world.ado, job.repository, job.base_commit) as snapshot:
        draft = world.provider.draft(
            DraftRequest(
                intent=job.clarified_intent,
                variant=variant.number,
                variants=job.requested_variants,
                strategy=variant.strategy,
                ranked_paths=tuple(shown["ranked_paths"]),
                files=snapshot,
                thread_path=shown["thread_path"],
                thread_lines=(lines[0], lines[1]) if lines else None,
                context_text=shown["text"],
                deadline=parse_instant(order["deadline"]),
            )
        )
        patch = apply_edits(
            snapshot,
            draft.edits,
            format=EditFormat(draft.edit_format),
            rules=PatchRules.default_for_jobs(),
            symlinks=snapshot.symlinks,
        )
    return draft, patch


def _keep(
    world: World, job: Job, variant: Variant, drafted: tuple[Draft, AppliedPatch, int]
) -> dict[str, Any]:
    draft, patch, duration_ms = drafted
    body = json.dumps(
        {
            "changes": [change_to_plain(change) for change in patch.changes],
            "diff": patch.diff,
            "summary": draft.summary,
        }
    ).encode()
    digest = digest_changes(patch.changes)
    now = world.clock()
    with world.database.transaction() as connection:
        reference = artifacts.put(
            connection,
            body,
            media_type="application/json",
            at=now,
            expires_at=now + ARTIFACTS_KEPT,
        )
        twin = variants.claim_digest(
            connection,
            job.id,
            variant.number,
            digest,
            artifact=reference,
            at=now,
        )
        statistics = patch.statistics
        fields: dict[str, Any] = {
            "files_changed": statistics.files_changed,
            "lines_added": statistics.lines_added,
            "lines_deleted": statistics.lines_deleted,
            "note": draft.summary[:500],
            "llm_provider": world.provider.name,
            "llm_duration_ms": duration_ms,
        }
        if twin is None:
            variants.move_variant(
                connection, job.id, variant.number, VariantStatus.DRAFTING, at=now, **fields
            )
            return {"patch": reference}
        variants.move_variant(
            connection,
            job.id,
            variant.number,
            VariantStatus.DUPLICATE,
            at=now,
            finished_at=now,
            patch_digest=digest,
            error_code="variant.duplicate",
            verdict="user",
            **fields,
        )
    raise JobError("variant.duplicate", f"The result is the same as that of variant {twin}.")


def digest_changes(changes: Iterable[FileChange]) -> str:
    """Answer the SHA-256 of what a patch does, whatever its order."""
    parts = sorted(json.dumps(change_to_plain(change), sort_keys=True) for change in changes)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def change_to_plain(change: FileChange) -> dict[str, Any]:
    """Write a change as plain JSON."""
    content = change.content
    return {
        "path": change.path,
        "kind": str(change.kind),
        "content": None if content is None else base64.b64encode(content).decode(),
        "previous_path": change.previous_path,
    }


def change_from_plain(plain: Mapping[str, Any]) -> FileChange:
    """Read what `change_to_plain` wrote."""
    content = plain["content"]
    return FileChange(
        path=plain["path"],
        kind=ChangeKind(plain["kind"]),
        content=None if content is None else base64.b64decode(content),
        previous_path=plain["previous_path"],
    )
