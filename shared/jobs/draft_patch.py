"""Asks the model for one variant's change, which is applied and checked in memory; keeps it."""

import base64
import hashlib
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from shared.ado.snapshots import Snapshot
from shared.domain.change import ChangeKind, FileChange
from shared.domain.clock import parse_instant
from shared.domain.errors import JobError, PatchError
from shared.domain.job import Job, Variant
from shared.domain.security_event import SecurityEventKind
from shared.domain.states import VariantStatus
from shared.jobs.admit_command import ARTIFACTS_KEPT
from shared.jobs.charges import JobAccount
from shared.jobs.result_cache import build_key, find_result, keep_result
from shared.jobs.rows import require_open
from shared.jobs.world import World
from shared.llm.provider import Draft, DraftRequest
from shared.llm.survey import turns_from_plain
from shared.patching.apply import AppliedPatch, apply_edits
from shared.patching.errors import PatchCode
from shared.patching.rules import PatchRules
from shared.patching.script import EditFormat, FileEdit
from shared.policy.secret_scan import find_secrets
from shared.settings.patches import PatchSettings
from shared.store import artifacts, security_events, variants
from shared.store.security_events import SecurityEvent


def draft_patch(order: Mapping[str, Any], world: World) -> dict[str, Any]:
    """Draft one variant; answers `{"patch": artifact}`, when repeated the first one's.

    `calls` beside it tells how each provider did, for the circuit breakers. With `asks_anew` in the
    order no earlier result is taken: its author was not content with it.
    """
    deadline = parse_instant(order["deadline"])
    with world.database.transaction() as connection:
        now = world.clock()
        job, variant = require_open(
            connection, order["job_id"], order["number"], until=deadline, now=now
        )
        # one that was found on Azure DevOps when records were rebuilt has succeeded without a patch
        if variant.patch_artifact is not None or variant.status is VariantStatus.SUCCESS:
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
        survey = order["context"].get("survey")
        looked_up = json.loads(artifacts.get(connection, survey)) if survey else ()
    with world.snapshots.open(world.ado, job.repository, job.base_commit) as snapshot:
        request = replace(
            build_request(order, job, variant, shown, snapshot, world.settings.patches),
            survey=turns_from_plain(looked_up),
        )
        try:
            draft = _draft(world, job, variant, request, asks_anew=bool(order.get("asks_anew")))
        except PatchError as error:
            _note_secret(world, job, variant, error)
            raise
    return _keep(world, job, variant, draft)


def _note_secret(world: World, job: Job, variant: Variant, error: PatchError) -> None:
    """Keep a record of a patch that was refused because it adds a credential."""
    if error.code != PatchCode.SECRET_INTRODUCED:
        return
    with world.database.transaction() as connection:
        security_events.record(
            connection,
            SecurityEvent(
                at=world.clock(),
                kind=SecurityEventKind.SECRET_REFUSED,
                organisation=job.comment.organisation,
                job_id=job.id,
                actor_id=job.actor_id,
                facts={"code": error.code, "variant": variant.number},
            ),
        )


def build_rules(settings: PatchSettings) -> PatchRules:
    """Build the rules of a job as the operators want them."""
    rules = PatchRules.default_for_jobs()
    return replace(
        rules,
        max_patch_bytes=settings.max_bytes,
        max_files=settings.max_files,
        protected_globs=(*rules.protected_globs, *settings.protected_paths),
        find_secrets=find_secrets,
    )


def build_request(
    order: Mapping[str, Any],
    job: Job,
    variant: Variant,
    shown: Mapping[str, Any],
    snapshot: Snapshot,
    settings: PatchSettings,
) -> DraftRequest:
    """Build what a provider may look at for one variant."""
    lines = shown["thread_lines"]
    providers = order.get("providers")
    rules = build_rules(settings)

    def apply(edits: str, edit_format: str, kept: Sequence[FileEdit] = ()) -> AppliedPatch:
        return apply_edits(
            snapshot,
            edits,
            format=EditFormat(edit_format),
            rules=rules,
            symlinks=snapshot.symlinks,
            kept=kept,
        )

    return DraftRequest(
        intent=job.clarified_intent,
        variant=variant.number,
        # a job that repeats the later variants of another one has fewer than their numbers say
        variants=max(job.requested_variants, variant.number),
        strategy=variant.strategy,
        ranked_paths=tuple(shown["ranked_paths"]),
        files=snapshot,
        thread_path=shown["thread_path"],
        thread_lines=(lines[0], lines[1]) if lines else None,
        context_text=shown["text"],
        deadline=parse_instant(order["deadline"]),
        apply=apply,
        nonce=shown.get("nonce", ""),
        pull_request=shown.get("pull_request", ""),
        admitted=None if providers is None else tuple(providers),
    )


def _draft(
    world: World, job: Job, variant: Variant, request: DraftRequest, *, asks_anew: bool
) -> Draft:
    """Draft, or take an earlier result; either way the row says what it took, also on failure."""
    account = JobAccount(world, job, variant.number)
    key = build_key(world, job, request)
    began = time.monotonic()
    draft = None if asks_anew else find_result(world, key, request)
    reused = draft is not None
    try:
        if draft is None:
            draft = world.open_provider(account, job.comment).draft(request)
            keep_result(world, key, request, draft)
    finally:
        fields = account.read_fields() | {
            "llm_duration_ms": int(1000 * (time.monotonic() - began)),
            "from_cache": reused,
        }
        if draft is not None:
            fields |= {
                "llm_provider": draft.provider,
                "llm_model": draft.model,
                "repair_rounds": draft.repair_rounds,
            }
        with world.database.transaction() as connection:
            variants.move_variant(
                connection,
                job.id,
                variant.number,
                VariantStatus.DRAFTING,
                at=world.clock(),
                **fields,
            )
    return draft


def _keep(world: World, job: Job, variant: Variant, draft: Draft) -> dict[str, Any]:
    calls = [dict(outcome) for outcome in draft.outcomes]
    body = json.dumps(
        {
            "changes": [change_to_plain(change) for change in draft.patch.changes],
            "diff": draft.patch.diff,
            "summary": draft.summary,
        }
    ).encode()
    digest = digest_changes(draft.patch.changes)
    statistics = draft.patch.statistics
    fields = {
        "files_changed": statistics.files_changed,
        "lines_added": statistics.lines_added,
        "lines_deleted": statistics.lines_deleted,
        "note": draft.summary[:500],
    }
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
        if twin is None:
            variants.move_variant(
                connection, job.id, variant.number, VariantStatus.DRAFTING, at=now, **fields
            )
            return {"patch": reference, "calls": calls} if calls else {"patch": reference}
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
    raise JobError(
        "variant.duplicate",
        f"The result is the same as that of variant {twin}.",
        details={"calls": calls} if calls else None,
    )


def digest_changes(changes: Iterable[FileChange]) -> str:
    """Answer the SHA-256 of what a patch does, whatever its order.

    Results that differ in blanks and blank lines alone are nearly identical, and count as the same.
    """
    parts = sorted(json.dumps(_condense(change), sort_keys=True) for change in changes)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _condense(change: FileChange) -> dict[str, Any]:
    content = change.content
    if content is not None:
        lines = (b" ".join(line.split()) for line in content.splitlines())
        content = b"\n".join(line for line in lines if line)
    return change_to_plain(FileChange(change.path, change.kind, content, change.previous_path))


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
