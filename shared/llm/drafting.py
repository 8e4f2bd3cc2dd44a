"""Drafts one variant with a model: it looks around, submits edits, and mends what does not fit.

    ask ▶ looks at files?     answer, at most `tool_rounds` times
        ▶ submits edits?      apply and check; fits: done; else say why, `repair_rounds` times
        ▶ gives up?           the command's author has to change it

Each call is checked against the budgets before and charged after. The model chooses files and
lines, and nothing else: not the repository, the branch, the target, nor who reviews.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.context.pack import estimate_tokens
from shared.context.tools import SnapshotTools
from shared.context.visibility import read_text
from shared.domain.credentials import MASK, mask_credentials
from shared.llm.accounts import Account, CallRecord
from shared.llm.chain import ChainSession, ProviderOutcome, order_for_variant
from shared.llm.conversation import (
    BROKEN_CHARACTER,
    ChatModel,
    ChatReply,
    ChatRequest,
    Conversation,
    Role,
    StopReason,
    ToolCall,
    ToolResult,
    Turn,
)
from shared.llm.model_tools import (
    GIVE_UP,
    MAX_SUMMARY,
    SUBMIT,
    Submission,
    list_tools,
    read_arguments,
    read_submission,
    read_written_submission,
    run_look,
)
from shared.llm.prompt import mark_data, write_repair, write_request, write_shared, write_system
from shared.llm.provider import (
    Draft,
    DraftRequest,
    ModelCode,
    ModelError,
    RequestError,
    Usage,
    fail_at_provider,
)
from shared.patching.apply import AppliedPatch
from shared.patching.errors import PatchCode, PatchError
from shared.patching.read import recognise
from shared.patching.script import EditFormat

if TYPE_CHECKING:
    from shared.patching.script import FileEdit

LOWEST_TEMPERATURE: Final = 0.2
HIGHEST_TEMPERATURE: Final = 0.9
"""Of the first and the last variant: the later ones dare more."""
_NOT_QUOTING: Final = frozenset(
    {
        PatchCode.UNREADABLE,
        PatchCode.FILE_NOT_FOUND,
        PatchCode.FILE_EXISTS,
        PatchCode.PATH_REFUSED,
        PatchCode.PROTECTED,
    }
)
"""Refusals whose reports show nothing of a file: it has not been looked into."""
MEND_ALL: Final = "Send the whole change again, mended."
MEND_THE_REST: Final = (
    "Send only what did not fit, mended; what fits is kept and applied together with it."
)


@dataclass(frozen=True, slots=True)
class DraftingTerms:
    """How drafts are made; see docs/settings.md."""

    spreads_variants: bool = False
    edit_format: str = "structured"
    max_output_tokens: int = 32_000
    repair_rounds: int = 3
    tool_rounds: int = 6
    tool_tokens: int = 40_000

    @property
    def max_calls(self) -> int:
        """Every look, being told that these were enough, a submission, and every repair."""
        return self.tool_rounds + 2 + self.repair_rounds


class ModelDrafter:
    """Drafts changes with the models of a chain."""

    def __init__(self, models: Sequence[ChatModel], account: Account, terms: DraftingTerms) -> None:
        self._models = models
        self._account = account
        self._terms = terms

    @property
    def name(self) -> str:
        """The provider that is asked first."""
        return self._models[0].provider

    def draft(self, request: DraftRequest) -> Draft:
        """Draft one variant.

        Raises:
            ModelError: `details` tells the circuit breakers how each provider did.
            PatchError: the edits did not fit, after every round of mending.
            PolicyError: a budget is exhausted.
        """
        models = order_for_variant(
            self._models, request.variant, is_spread=self._terms.spreads_variants
        )
        session = ChainSession(models, request.admitted)
        with session.telling_outcomes():
            return _Work(request, session, self._account, self._terms).draft()

    def warm(self, request: DraftRequest) -> tuple[ProviderOutcome, ...]:
        """Have the part that all variants share read once, so that they find it cached.

        Answers how each provider that was asked did.

        Raises:
            ModelError: nobody answered; `details` as of `draft`.
            PolicyError: a budget is exhausted.
        """
        session = ChainSession(self._models, request.admitted)
        with session.telling_outcomes():
            _Work(request, session, self._account, self._terms).warm()
        return session.outcomes


class _Work:
    """One draft as it is being made."""

    def __init__(
        self,
        request: DraftRequest,
        session: ChainSession,
        account: Account,
        terms: DraftingTerms,
    ) -> None:
        self._request = request
        self._session = session
        self._account = account
        self._terms = terms
        self._usage = Usage()
        self._turns: list[Turn] = [Turn(Role.USER, write_request(request, terms.edit_format))]
        self._system = write_system(terms.edit_format, terms.tool_rounds)
        self._shared = write_shared(request)
        self._looks = SnapshotTools(request.files)
        self._offered = list_tools(self._looks, terms.edit_format, terms.tool_rounds)
        self._kept: tuple[FileEdit, ...] = ()
        self._calls = 0
        self._repairs = 0
        self._look_rounds = 0
        self._look_tokens = 0

    def draft(self) -> Draft:
        while self._calls < self._terms.max_calls:
            reply = self._ask("repair" if self._repairs else "draft")
            self._turns.append(Turn(Role.ASSISTANT, reply.text, reply.calls))
            draft = self._take(reply)
            if draft is not None:
                return draft
        raise fail_at_provider(ModelCode.NO_EDIT, "The model never came to an end.")

    def warm(self) -> None:
        self._ask("warm", max_output_tokens=1)

    def _ask(self, purpose: str, *, max_output_tokens: int | None = None) -> ChatReply:
        self._account.check()
        request = self._request
        began = time.monotonic()
        reply = self._session.reply(
            ChatRequest(
                Conversation(self._system, self._offered, self._shared, tuple(self._turns)),
                deadline=request.deadline,
                max_output_tokens=max_output_tokens or self._terms.max_output_tokens,
                temperature=choose_temperature(request.variant, request.variants),
                cache_key=request.nonce,
            )
        )
        self._account.charge(
            CallRecord(
                purpose=purpose,
                provider=self._session.provider,
                model=reply.model,
                usage=reply.usage,
                duration_ms=int(1000 * (time.monotonic() - began)),
                round=self._calls + 1,
            )
        )
        self._usage += reply.usage
        self._calls += 1
        return reply

    def _take(self, reply: ChatReply) -> Draft | None:
        """Make of a reply a draft; None when the model has been answered and goes on."""
        if reply.stop is StopReason.REFUSED:
            raise fail_at_provider(ModelCode.DECLINED, "The model declined to make this change.")
        if reply.stop is StopReason.LENGTH:
            self._mend(
                reply.calls,
                fail_at_provider(ModelCode.CUT_OFF, "The answer was longer than its limit."),
                "Your answer was cut off at its limit. Send a shorter one: quote fewer lines.",
            )
            return None
        self._check_given_up(reply.calls)
        submissions = self._find_submissions(reply)
        if len(submissions) == 1:
            return self._submit(submissions[0], reply.calls)
        if not reply.calls or submissions:
            many = bool(submissions)
            self._mend(
                reply.calls,
                fail_at_provider(ModelCode.NO_EDIT, "The answer of the model holds no edit."),
                "Call `submit_edits` just once, with everything." if many else self._say_how(),
            )
            return None
        self._look(reply.calls)
        return None

    def _check_given_up(self, calls: Sequence[ToolCall]) -> None:
        for call in calls:
            if call.name == GIVE_UP:
                arguments = read_arguments(call)
                reason = arguments.get("reason") if isinstance(arguments, dict) else None
                raise RequestError(
                    ModelCode.INTENT_NOT_UNDERSTOOD,
                    mask_credentials(str(reason or "The model found no way to do this."))[:500],
                )

    def _find_submissions(self, reply: ChatReply) -> list[Submission]:
        submitted = [read_submission(call) for call in reply.calls if call.name == SUBMIT]
        if submitted or reply.calls:
            return submitted
        try:
            recognised = recognise(reply.text)
        except PatchError:
            return []
        wished = self._terms.edit_format
        # what it was asked for, else whatever it chose to write
        chosen = str(recognised) if wished == "structured" else wished
        if chosen == "structured":
            return [read_written_submission(reply.text)]
        return [Submission(reply.text, chosen, _cut_summary(reply.text))]

    def _submit(self, submission: Submission, calls: Sequence[ToolCall]) -> Draft | None:
        try:
            patch = self._request.apply(submission.edits, submission.edit_format, self._kept)
            _check_stand_ins(patch)
        except PatchError as error:
            self._kept = error.fitting
            self._mend(calls, error, MEND_THE_REST if error.fitting else MEND_ALL)
            return None
        edits, edit_format = submission.edits, submission.edit_format
        if self._kept:  # the last answer was a part of the change
            edits, edit_format = patch.diff, str(EditFormat.UNIFIED_DIFF)
        return Draft(
            edits=edits,
            edit_format=edit_format,
            patch=patch,
            summary=submission.summary,
            usage=self._usage,
            provider=self._session.provider,
            model=self._session.model,
            repair_rounds=self._repairs,
            outcomes=tuple(outcome.to_plain() for outcome in self._session.outcomes),
        )

    def _mend(
        self, calls: Sequence[ToolCall], failure: ModelError | PatchError, advice: str
    ) -> None:
        """Tell the model what was wrong, or give up when it has been told often enough."""
        if self._repairs == self._terms.repair_rounds:
            raise failure
        self._repairs += 1
        # a report quotes the repository
        report = self._mark(self._report(failure)) if isinstance(failure, PatchError) else ""
        text = write_repair(report, advice, self._terms.repair_rounds - self._repairs + 1)
        results = tuple(ToolResult(call.id, text, is_error=True) for call in calls)
        self._turns.append(Turn(Role.USER, "" if results else text, results=results))

    def _mark(self, data: str) -> str:
        return mark_data(data, self._request.nonce)

    def _report(self, failure: PatchError) -> str:
        """Answer what is wrong; a report that quotes a file which is never shown is withheld."""
        parts = failure.parts or (failure,)
        if all(self._may_tell(part) for part in parts):
            return failure.report
        told = dict.fromkeys(f"{part.message}." for part in parts)
        return "\n".join((*told, "No more of it may be shown."))

    def _may_tell(self, failure: PatchError) -> bool:
        path, files = failure.path, self._request.files
        if failure.code in _NOT_QUOTING or path is None:
            return True
        return path in files and read_text(files, path) is not None

    def _say_how(self) -> str:
        if self._terms.edit_format == "structured":
            return "There was no edit in your answer. Call `submit_edits` with the whole change."
        return "There was no edit in your answer. Write the whole change in the form that was said."

    def _look(self, calls: Sequence[ToolCall]) -> None:
        """Answer the model's looks as long as it has rounds and room for them."""
        self._look_rounds += 1
        results: list[ToolResult] = []
        for call in calls:
            is_over = self._look_rounds > self._terms.tool_rounds
            if is_over or self._look_tokens > self._terms.tool_tokens:
                text, failed = "You have looked enough: make the change with what you know.", True
            else:
                text, failed = self._mark(run_look(self._looks, call)), False
            self._look_tokens += estimate_tokens(text)
            results.append(ToolResult(call.id, text, is_error=failed))
        self._turns.append(Turn(Role.USER, results=tuple(results)))


def choose_temperature(variant: int, variants: int) -> float:
    """Choose how freely a variant (1-based) is drafted: the first least, the last most."""
    if variants == 1:
        return LOWEST_TEMPERATURE
    step = (HIGHEST_TEMPERATURE - LOWEST_TEMPERATURE) / (variants - 1)
    return round(LOWEST_TEMPERATURE + step * (variant - 1), 3)


_STAND_INS: Final = (
    (
        MASK,
        PatchCode.UNCERTAIN,
        "a credential that you are not shown. Leave such lines as they are.",
    ),
    (BROKEN_CHARACTER, PatchCode.ENCODING, "half a character. Write the whole one."),
)
"""What only stands for something else, and what to tell a model that writes it."""


def _check_stand_ins(patch: AppliedPatch) -> None:
    """Refuse a change that writes what only stands for something else."""
    added = [line for line in patch.diff.splitlines() if line.startswith("+")]
    for sign, code, what in _STAND_INS:
        if any(sign in line for line in added):
            raise PatchError(
                code,
                "a line would be written in which something only stands for something else",
                report=f"A new line holds {sign!r}, which only stands for {what}",
            )


def _cut_summary(text: str) -> str:
    """Take what a model wrote above its edits."""
    lines: list[str] = []
    for line in text.strip().splitlines():
        if line.startswith(("<<<<", "```", "--- ", "diff --git", "*** Begin", "@@", "*** ")):
            break
        lines.append(line)
    while lines and ("/" in lines[-1] or "." in lines[-1]) and " " not in lines[-1].strip():
        lines.pop()  # the path of the first edit
    return mask_credentials(" ".join(" ".join(lines).split()))[:MAX_SUMMARY]
