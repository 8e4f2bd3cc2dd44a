"""A drafter at its desk: real adapters before a scripted model, a small repository, an account."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from local.model.script import PlainCall, PlainConversation, ScriptedReply
from shared.domain.errors import PolicyError
from shared.llm.accounts import CallRecord
from shared.llm.clarifier import ClarifyRequest
from shared.llm.provider import DraftRequest
from shared.patching.apply import AppliedPatch, apply_edits
from shared.patching.rules import PatchRules
from shared.patching.script import EditFormat, FileEdit

CSS = """\
:root {
  --accent: blue;
}

.button {
  color: white;
  background: var(--accent);
}
"""
RED_CSS = CSS.replace("blue", "red")
FILES = {
    "css/site.css": CSS.encode(),
    "src/app.js": b"export const name = 'shop';\n",
    "docs/guide.md": b"# Guide\n\nButtons are blue.\n",
}
NONCE = "0123456789abcdef"


def build_request(
    files: Mapping[str, bytes] = FILES, symlinks: Collection[str] = (), **changes: Any
) -> DraftRequest:
    """Build what one variant is drafted from; edits are applied by the rules of a job."""

    def apply(edits: str, edit_format: str, kept: Sequence[FileEdit] = ()) -> AppliedPatch:
        return apply_edits(
            files,
            edits,
            format=EditFormat(edit_format),
            rules=PatchRules.default_for_jobs(),
            symlinks=symlinks,
            kept=kept,
        )

    told: dict[str, Any] = {
        "intent": "make all buttons red",
        "variant": 1,
        "variants": 1,
        "strategy": "smallest",
        "ranked_paths": tuple(files),
        "files": files,
        "thread_path": None,
        "thread_lines": None,
        "context_text": "".join(f"\n# {path}\n{body!r}\n" for path, body in files.items()),
        "deadline": datetime.now(UTC) + timedelta(seconds=20),
        "apply": apply,
        "nonce": NONCE,
        "pull_request": "Checkout page",
    }
    return DraftRequest(**(told | changes))


def build_question(**changes: Any) -> ClarifyRequest:
    """Build what a command is judged from."""
    told: dict[str, Any] = {
        "intent": "make it nicer",
        "rounds": (),
        "ranked_paths": (),
        "changed_paths": (),
        "thread_path": None,
        "thread_lines": None,
        "context_text": "# Files",
        "language": "en",
        "deadline": datetime.now(UTC) + timedelta(seconds=20),
        "nonce": NONCE,
    }
    return ClarifyRequest(**(told | changes))


Answer = ScriptedReply | Callable[[PlainConversation], ScriptedReply]


@dataclass
class Talk:
    """A brain that answers one thing after the other, the last one for ever, and keeps all said."""

    answers: tuple[Answer, ...]
    heard: list[PlainConversation] = field(default_factory=list)

    def __call__(self, said: PlainConversation) -> ScriptedReply:
        self.heard.append(said)
        answer = self.answers[min(len(self.heard), len(self.answers)) - 1]
        return answer if isinstance(answer, ScriptedReply) else answer(said)

    def told(self, number: int) -> list[str]:
        """What stood behind the model's last turn in its call `number`, from 1: texts, results."""
        said: list[str] = []
        for message in reversed(self.heard[number - 1].messages):
            if message.role == "assistant":
                break
            said = [*(text for _, text, _ in message.results), *message.texts, *said]
        return said

    def told_as_text(self, number: int) -> str:
        return "\n".join(self.told(number))


def talk(*answers: Answer) -> Talk:
    return Talk(answers)


def replace(search: str, new: str, path: str = "css/site.css") -> dict[str, Any]:
    return {
        "action": "replace",
        "path": path,
        "search": search,
        "replace": new,
        "every_occurrence": False,
    }


RED_EDIT = replace("  --accent: blue;", "  --accent: red;")


def submit(*edits: Mapping[str, Any], summary: str = "The accent is red now.") -> ScriptedReply:
    return call("submit_edits", summary=summary, edits=list(edits))


def call(name: str, **arguments: Any) -> ScriptedReply:
    return ScriptedReply(calls=(PlainCall(name, json.dumps(arguments)),))


def call_all(*replies: ScriptedReply) -> ScriptedReply:
    """Make one reply of the calls of several."""
    return ScriptedReply(calls=tuple(one for reply in replies for one in reply.calls))


RED = submit(RED_EDIT)
WRONG_EDIT = replace("  --accentuation: blau;\n  --second: x;", "  --accent: red;")
WRONG = submit(WRONG_EDIT)


@dataclass
class Ledger:
    """An account in memory that allows so many calls."""

    allowed: int = 1000
    checks: int = 0
    charged: list[CallRecord] = field(default_factory=list)

    def check(self) -> None:
        assert self.checks == len(self.charged), "checked before each call, charged after it"
        if self.checks >= self.allowed:
            raise PolicyError("budget.job_exhausted", "The budget of this job is used up.")
        self.checks += 1

    def charge(self, call: CallRecord) -> None:
        self.charged.append(call)
