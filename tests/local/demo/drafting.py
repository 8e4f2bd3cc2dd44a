"""Drafts with the demo's brain as the app does: over the real SDKs, and nothing else between."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from local.azure_devops.shop import MAIN_FILES, TOPIC_FILES
from local.demo.brain import think
from local.model.server import ModelStandIn
from shared.context.index import build_index
from shared.context.pack import build_context
from shared.context.request import ContextRequest
from shared.llm.accounts import NoAccount
from shared.llm.drafting import ModelDrafter
from shared.llm.provider import Draft, DraftRequest
from shared.llm.strategies import name_strategy
from shared.llm.terms import DraftingTerms
from shared.patching.apply import AppliedPatch, apply_edits
from shared.patching.rules import PatchRules
from shared.patching.script import EditFormat, FileEdit
from tests.integration.llm.chatting import Door

FILES = MAIN_FILES | TOPIC_FILES


def draft(
    door: Door,
    model: ModelStandIn,
    intent: str,
    *,
    variant: int = 1,
    variants: int = 3,
    terms: DraftingTerms | None = None,
) -> Draft:
    """Draft one variant for the demo's repository."""
    model.brain = think
    chat = door.open(model)
    try:
        drafter = ModelDrafter([chat], NoAccount(), terms or DraftingTerms())
        return drafter.draft(build_request(intent, variant, variants))
    finally:
        chat.close()


def build_request(intent: str, variant: int, variants: int) -> DraftRequest:
    request = ContextRequest(
        intent, title="Checkout", description="", changed_paths=tuple(TOPIC_FILES)
    )
    context = build_context(FILES, build_index(FILES), request, budget_tokens=20_000)

    def apply(edits: str, edit_format: str, kept: Sequence[FileEdit] = ()) -> AppliedPatch:
        rules = PatchRules.default_for_jobs()
        return apply_edits(FILES, edits, format=EditFormat(edit_format), rules=rules, kept=kept)

    return DraftRequest(
        intent=intent,
        variant=variant,
        variants=variants,
        strategy=name_strategy(variant),
        ranked_paths=tuple(file.path for file in context.files),
        files=FILES,
        thread_path=None,
        thread_lines=None,
        context_text=context.render(),
        deadline=datetime.now(UTC) + timedelta(seconds=30),
        apply=apply,
        nonce="b6f0",
        pull_request="Checkout: a page to pay on",
    )
