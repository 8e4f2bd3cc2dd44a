"""The stub provider: carries out plain instructions by hand, without model or network.

It stands in for a model where none is wanted (demos, canaries, tests), and it really edits. What it
does not understand it restates as a note where the request belongs; it says in every summary that
it was at work.
"""

from typing import Final

from shared.domain.clock import Clock, read_utc_clock
from shared.llm.by_hand.carry_out import Circumstances, carry_out
from shared.llm.by_hand.instructions import read_instructions
from shared.llm.by_hand.workspace import Workspace
from shared.llm.provider import Draft, DraftRequest, ModelCode, RequestError, Usage
from shared.patching.script import EditFormat

NO_MODEL: Final = "Made by the stub provider; no model was asked."


class StubProvider:
    """Drafts changes without a model."""

    name: Final = "stub"

    def __init__(self, clock: Clock = read_utc_clock) -> None:
        self._clock = clock

    def draft(self, request: DraftRequest) -> Draft:
        """Draft one variant; the same request gives the same draft.

        Raises:
            RequestError: the request cannot be carried out; the message says what to change.
            ModelError: `model.out_of_time`.
        """
        if not request.intent.strip():
            raise RequestError(ModelCode.INTENT_NOT_UNDERSTOOD, "The request is empty.")
        thread = (request.thread_path,) if request.thread_path else ()
        workspace = Workspace(
            request.files,
            preferred=(*thread, *request.ranked_paths),
            is_late=lambda: self._clock() >= request.deadline,
        )
        around = Circumstances(
            intent=request.intent,
            variant=request.variant,
            strategy=request.strategy,
            thread_path=request.thread_path,
            thread_line=request.thread_lines[0] if request.thread_lines else None,
        )
        done = carry_out(read_instructions(request.intent), workspace, around)
        edits, format_ = workspace.to_edits(), str(EditFormat.STRUCTURED)
        return Draft(
            edits=edits,
            edit_format=format_,
            patch=request.apply(edits, format_),
            summary=" ".join((*done, NO_MODEL)),
            usage=Usage(),
            provider=self.name,
            model="stub",
        )
