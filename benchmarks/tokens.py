"""What ten variants cost against one: tokens sent and read from the cache, by the server's account.

Jobs are drafted as the app drafts them, against a scripted model server that keeps the accounts of
the providers' prompt caches: the judging call, the survey where there are several variants, and
each draft. The model needs to have looked so many times before it submits: alone in its draft,
with others in the survey. Equivalent tokens weigh what was read from the cache and what was
written into it by the model's own list prices. Exits with 1 when ten variants take more than
`BOUND` times those of one.

Two kinds of rows have no bound, because it cannot hold there. *own*: every variant looks by itself
at what the survey left out, and so sends everything again for each look. A model that has a cached
token cost a quarter of a plain one: ten readings alone are 2.5 times the prompt.
"""

import argparse
import json
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
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
from shared.llm.drafting import ModelDrafter
from shared.llm.model_clarifier import ModelClarifier
from shared.llm.prices import LIST_PRICES, ModelPrice
from shared.llm.provider import DraftRequest
from shared.llm.strategies import STRATEGIES
from shared.llm.terms import DraftingTerms
from shared.patching.apply import AppliedPatch, apply_edits
from shared.patching.rules import PatchRules
from shared.patching.script import EditFormat, FileEdit

BOUND: Final = 2.5
COUNTS: Final = (1, 10)
DEAREST_READ: Final = 0.1
"""Price of a cached token against a plain one, up to which the bound is held to."""
MODELS: Final = (
    (ChatProvider.ANTHROPIC, "claude-sonnet-4-6", ""),
    (ChatProvider.OPENAI, "gpt-5.4", "/v1"),
    (ChatProvider.OPENAI, "gpt-6-sol", "/v1"),
    (ChatProvider.OPENAI, "gpt-4.1", "/v1"),
)
LOOKS: Final = ((0, False), (1, False), (2, False), (2, True))
"""Rounds of looking, and whether each variant makes them by itself."""
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

    def weigh(self, price: ModelPrice) -> float:
        """Input tokens, as if each had been paid in full."""
        plain = self.sent - self.cached - self.written
        read, write = price.cached / price.input, price.cache_write / price.input
        return plain + read * self.cached + write * self.written


@dataclass(frozen=True, slots=True)
class Job:
    """What is asked for, and how an able model goes about it."""

    files: Mapping[str, bytes]
    context: str
    looks: int
    are_own: bool
    """Whether each variant looks at something else, which no survey could know."""

    def decide(self, said: PlainConversation) -> ScriptedReply:
        """Find the command clear, look as often as is needed, submit or leave it to the drafts."""
        if "judge_command" in said.tools:
            return call("judge_command", clear=True, question="", readings=[], likeliest=0)
        is_survey = "# Your variant" not in said.to_text()
        looks = sum(bool(message.calls) for message in said.messages)
        if looks < self.looks and not (is_survey and self.are_own):
            first = 1 + 40 * looks
            return call("read_file", path=LOOKED_AT, first_line=first, last_line=first + 39)
        if is_survey:
            return ScriptedReply(text="Ready.")
        edit = {"action": "create", "path": "docs/drafting.md", "content": "# Drafting\n"}
        return call("submit_edits", summary="Says more.", edits=[edit])


def main() -> int:
    """Print the table; answer 1 when a ratio is above the bound."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--context-tokens", type=int, default=60_000)
    options = parser.parse_args()
    files = read_files()
    context = show(files, options.context_tokens)
    print(
        f"{'model':<20}{'looks':>7}{'N':>4}{'calls':>7}{'sent':>11}{'cached':>11}"
        f"{'equivalent':>12}{'ratio':>7}"
    )
    worst = 0.0
    for provider, model, path in MODELS:
        price = LIST_PRICES[provider][model]
        for looks, are_own in LOOKS:
            job = Job(files, context, looks, are_own)
            bills = [run_job(provider, model, path, job, count) for count in COUNTS]
            ratio = bills[1].weigh(price) / bills[0].weigh(price)
            is_bound = not are_own and price.cached <= DEAREST_READ * price.input
            worst = max(worst, ratio if is_bound else 0.0)
            kind = f"{looks} own" if are_own else str(looks)
            for count, bill, told in zip(COUNTS, bills, ("", f"{ratio:.2f}"), strict=True):
                print(
                    f"{model:<20}{kind:>7}{count:>4}{bill.calls:>7}{bill.sent:>11,}"
                    f"{bill.cached:>11,}{bill.weigh(price):>12,.0f}{told:>7}"
                    f"{'' if is_bound or not told else '  no bound'}"
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
    """Judge, survey, and draft every variant at once, as the orchestrators have it done."""
    deadline = datetime.now(UTC) + LIMIT
    judge(chat, job.context, deadline)
    drafter = ModelDrafter([chat], NoAccount(), DraftingTerms())
    requests = [build_request(job, deadline, number, count) for number in range(1, count + 1)]
    if count > 1:
        survey = drafter.survey(requests[0]).turns
        requests = [replace(request, survey=survey) for request in requests]
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
