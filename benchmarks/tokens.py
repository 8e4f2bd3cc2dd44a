"""What ten variants cost against one: tokens sent and read from the cache, by the server's account.

Jobs are drafted as the app drafts them, against a scripted model server that keeps the accounts of
the providers' prompt caches: the judging call, the warm one where there are several variants, and
each draft, with so many looks before it submits. Equivalent tokens weigh what was read from the
cache with a tenth and what was written into it with five quarters, as the price lists do. Exits
with 1 when ten variants take more than `BOUND` times those of one.

A look sends everything again, for a tenth: each one raises the ratio.
"""

import argparse
import json
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from local.model.running import run_in_thread
from local.model.script import PlainCall, PlainConversation, ScriptedReply
from local.model.server import ModelStandIn
from shared.context.index import build_index
from shared.context.pack import build_context
from shared.context.request import ContextRequest
from shared.llm.accounts import NoAccount
from shared.llm.chat.build import build_chat_model
from shared.llm.chat.spec import ChatProvider, ChatSpec
from shared.llm.clarifier import ClarifyRequest
from shared.llm.conversation import ChatModel
from shared.llm.drafting import DraftingTerms, ModelDrafter
from shared.llm.model_clarifier import ModelClarifier
from shared.llm.provider import DraftRequest
from shared.llm.strategies import STRATEGIES
from shared.patching.apply import AppliedPatch, apply_edits
from shared.patching.rules import PatchRules
from shared.patching.script import EditFormat, FileEdit

BOUND: Final = 2.5
READ_WEIGHT: Final = 0.1
WRITE_WEIGHT: Final = 1.25
"""Of a token's own price. Sources: https://platform.claude.com/docs/en/about-claude/pricing,
https://developers.openai.com/api/docs/guides/prompt-caching"""
MODELS: Final = (
    (ChatProvider.ANTHROPIC, "claude-sonnet-4-6", ""),
    (ChatProvider.OPENAI, "gpt-4.1", "/v1"),
    (ChatProvider.OPENAI, "gpt-6-sol", "/v1"),
)
INTENT: Final = "say more in the module docstring of the drafting code"
LOOKED_AT: Final = "shared/llm/drafting.py"
NONCE: Final = "0123456789abcdef"
ROOT: Final = Path(__file__).resolve().parents[1]
LIMIT: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Bill:
    """What the server counted for one job."""

    calls: int
    sent: int
    cached: int
    written: int

    @property
    def weighed(self) -> float:
        """Input tokens, as if each had been paid in full."""
        plain = self.sent - self.cached - self.written
        return plain + READ_WEIGHT * self.cached + WRITE_WEIGHT * self.written


@dataclass(frozen=True, slots=True)
class Job:
    """What is asked for, and how an able model goes about it."""

    files: Mapping[str, bytes]
    context: str
    looks: int

    def decide(self, said: PlainConversation) -> ScriptedReply:
        """Find the command clear, look as often as is wished, submit."""
        if "judge_command" in said.tools:
            return call("judge_command", clear=True, question="", readings=[], likeliest=0)
        looks = sum(bool(message.calls) for message in said.messages)
        if looks < self.looks:
            first = 1 + 40 * looks
            return call("read_file", path=LOOKED_AT, first_line=first, last_line=first + 39)
        edit = {"action": "create", "path": "docs/drafting.md", "content": "# Drafting\n"}
        return call("submit_edits", summary="Says more.", edits=[edit])


def main() -> int:
    """Print the table; answer 1 when a ratio is above the bound."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--context-tokens", type=int, default=60_000)
    parser.add_argument("--looks", type=int, default=0, help="rounds of looking in each draft")
    options = parser.parse_args()
    files = read_files()
    job = Job(files, show(files, options.context_tokens), options.looks)
    print(
        f"{'model':<20}{'N':>3}{'calls':>7}{'sent':>11}{'cached':>11}{'equivalent':>12}{'ratio':>7}"
    )
    worst = 0.0
    for provider, model, path in MODELS:
        bills = {count: run_job(provider, model, path, job, count) for count in (1, 10)}
        for count, bill in bills.items():
            ratio = bill.weighed / bills[1].weighed
            worst = max(worst, ratio)
            print(
                f"{model:<20}{count:>3}{bill.calls:>7}{bill.sent:>11,}{bill.cached:>11,}"
                f"{bill.weighed:>12,.0f}{ratio:>7.2f}"
            )
    print(f"worst ratio {worst:.2f}, bound {BOUND}")
    return int(worst > BOUND)


def read_files() -> Mapping[str, bytes]:
    """Take this project's own code as the repository."""
    paths = sorted((ROOT / "shared").rglob("*.py"))
    return {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in paths}


def show(files: Mapping[str, bytes], budget: int) -> str:
    """Choose what the model is shown, as a job does."""
    request = ContextRequest(text=INTENT, title="", description="", changed_paths=())
    return build_context(files, build_index(files), request, budget_tokens=budget).render()


def run_job(provider: ChatProvider, model: str, path: str, job: Job, count: int) -> Bill:
    """Run one job of `count` variants against a server of its own."""
    with run_in_thread() as server:
        server.brain = job.decide
        spec = ChatSpec(provider, model, f"{server.base_url}{path}")
        chat = build_chat_model(spec, read_key=lambda: server.key)
        try:
            draft_all(chat, job, count)
        finally:
            chat.close()
        return add_up(server)


def draft_all(chat: ChatModel, job: Job, count: int) -> None:
    """Judge, warm, and draft every variant at once, as the orchestrators have it done."""
    deadline = datetime.now(UTC) + LIMIT
    judge(chat, job.context, deadline)
    drafter = ModelDrafter([chat], NoAccount(), DraftingTerms())
    requests = [build_request(job, deadline, number, count) for number in range(1, count + 1)]
    if count > 1:
        drafter.warm(requests[0])
    together = threading.Barrier(count)

    def draft(request: DraftRequest) -> None:
        together.wait()
        drafter.draft(request)

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(draft, requests))


def judge(chat: ChatModel, context: str, deadline: datetime) -> None:
    """Have the command judged for clearness."""
    ModelClarifier([chat], NoAccount()).clarify(
        ClarifyRequest(
            intent=INTENT,
            rounds=(),
            ranked_paths=(),
            changed_paths=(),
            thread_path=None,
            thread_lines=None,
            context_text=context,
            language="en",
            deadline=deadline,
            nonce=NONCE,
        )
    )


def build_request(job: Job, deadline: datetime, number: int, count: int) -> DraftRequest:
    """Build the request of one variant."""

    def apply(edits: str, edit_format: str, kept: Sequence[FileEdit] = ()) -> AppliedPatch:
        rules = PatchRules.default_for_jobs()
        return apply_edits(job.files, edits, format=EditFormat(edit_format), rules=rules, kept=kept)

    return DraftRequest(
        intent=INTENT,
        variant=number,
        variants=count,
        strategy=STRATEGIES[number - 1].id,
        ranked_paths=(),
        files=job.files,
        thread_path=None,
        thread_lines=None,
        context_text=job.context,
        deadline=deadline,
        apply=apply,
        nonce=NONCE,
    )


def call(name: str, **arguments: object) -> ScriptedReply:
    """Answer with one call."""
    return ScriptedReply(calls=(PlainCall(name, json.dumps(arguments)),))


def add_up(server: ModelStandIn) -> Bill:
    """Add up what the server counted."""
    calls = server.calls.calls
    return Bill(
        len(calls),
        sum(one.tokens_in for one in calls),
        sum(one.tokens_cached for one in calls),
        sum(one.tokens_cache_written for one in calls),
    )


if __name__ == "__main__":
    sys.exit(main())
