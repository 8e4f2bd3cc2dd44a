"""Drafts one variant with a model: it looks around, submits edits, and mends what does not fit.

    ask ▶ looks at files?     answer, at most `tool_rounds` times
        ▶ submits edits?      apply and check; fits: done; else say why, `repair_rounds` times
        ▶ gives up?           the command's author has to change it

Each call is checked against the budgets before and charged after. The model chooses files and
lines, and nothing else: not the repository, the branch, the target, nor who reviews.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from shared.context.visibility import read_text
from shared.domain.credentials import MASK, mask_credentials
from shared.llm.accounts import Account
from shared.llm.chain import ChainSession, order_for_variant
from shared.llm.conversation import (
    BROKEN_CHARACTER,
    ChatModel,
    ChatReply,
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
    read_arguments,
    read_submission,
    read_written_submission,
)
from shared.llm.prompt import mark_data, write_repair
from shared.llm.provider import (
    Draft,
    DraftRequest,
    ModelCode,
    ModelError,
    RequestError,
    fail_at_provider,
)
from shared.llm.survey import Survey, make_survey, open_draft, open_survey
from shared.llm.talk import Talk
from shared.llm.terms import DraftingTerms
from shared.patching.apply import AppliedPatch
from shared.patching.errors import PatchCode, PatchError
from shared.patching.read import recognise
from shared.patching.script import EditFormat

if TYPE_CHECKING:
    from shared.patching.script import FileEdit

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

    def survey(self, request: DraftRequest) -> Survey:
        """Have the part that all variants share read once, and looked up what they all need.

        Raises:
            ModelError: nobody answered; `details` as of `draft`.
            PolicyError: a budget is exhausted.
        """
        session = ChainSession(self._models, request.admitted)
        talk = Talk(request, session, self._account, self._terms, open_survey(request))
        with session.telling_outcomes():
            turns = make_survey(talk, self._terms.tool_rounds)
        return Survey(turns, session.outcomes)


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
        self._terms = terms
        self._talk = Talk(request, session, account, terms, open_draft(request, terms.edit_format))
        self._kept: tuple[FileEdit, ...] = ()
        self._repairs = 0

    def draft(self) -> Draft:
        while self._talk.calls < self._terms.max_calls:
            reply = self._talk.ask("repair" if self._repairs else "draft")
            self._talk.hear(reply)
            draft = self._take(reply)
            if draft is not None:
                return draft
        raise fail_at_provider(ModelCode.NO_EDIT, "The model never came to an end.")

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
        self._talk.answer_looks(reply.calls)
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
            usage=self._talk.usage,
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
        self._talk.turns.append(Turn(Role.USER, "" if results else text, results=results))

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
