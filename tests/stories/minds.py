"""Brains for the model server: they judge, warm and draft as a story wants it, and remember."""

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.model.script import PlainCall, PlainConversation, ScriptedReply

_VARIANT = re.compile(r"This is variant (\d+) of \d+\.")
Draft = Callable[[PlainConversation, int], ScriptedReply]


def call(name: str, **arguments: Any) -> ScriptedReply:
    return ScriptedReply(calls=(PlainCall(name, json.dumps(arguments)),))


def submit(*edits: Mapping[str, Any], summary: str = "As asked.") -> ScriptedReply:
    return call("submit_edits", summary=summary, edits=list(edits))


def replace(path: str, search: str, new: str) -> dict[str, Any]:
    return {
        "action": "replace",
        "path": path,
        "search": search,
        "replace": new,
        "every_occurrence": False,
    }


def create(path: str, content: str) -> dict[str, Any]:
    return {"action": "create", "path": path, "content": content}


READY = ScriptedReply(text="Ready.")
CLEAR = call("judge_command", clear=True, question="", readings=[], likeliest=0)


@dataclass
class Mind:
    """Answers a judging call and a survey by itself, and drafts as it is told."""

    draft: Draft
    judge: Callable[[PlainConversation], ScriptedReply] = lambda _: CLEAR
    survey: Callable[[PlainConversation], ScriptedReply] = lambda _: READY
    heard: list[tuple[str, PlainConversation]] = field(default_factory=list)
    """What each call was for, and what was said."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, said: PlainConversation) -> ScriptedReply:
        if "judge_command" in said.tools:
            purpose = "judge"
        else:
            purpose = "draft" if "# Your variant" in said.to_text() else "survey"
        with self._lock:
            self.heard.append((purpose, said))
        if purpose == "judge":
            return self.judge(said)
        if purpose == "survey":
            return self.survey(said)
        return self.draft(said, find_variant(said))

    @property
    def purposes(self) -> list[str]:
        return [purpose for purpose, _ in self.heard]

    def to_text(self) -> str:
        return "\n".join(said.to_text() for _, said in self.heard)


def find_variant(said: PlainConversation) -> int:
    found = _VARIANT.search(said.to_text())
    return int(found[1]) if found else 1


def always(reply: ScriptedReply) -> Mind:
    return Mind(lambda _, __: reply)


def is_told_off(said: PlainConversation) -> bool:
    """Tell whether the model is asked to mend something."""
    return any(is_error for message in said.messages for _, _, is_error in message.results) or (
        "Send the whole change again" in said.to_text()
    )
