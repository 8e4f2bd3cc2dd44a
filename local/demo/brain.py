"""Plays the model in the demo: a small deterministic engineer, and no language model.

It gets what a model gets, and works as one has to: it reads the command, looks files up with the
tools, and submits edits made from the lines it was shown. It understands four kinds of command
(`tasks`); for any other it calls `give_up`. Every summary says who was at work. In variant 2 it
misquotes a line once, on purpose, so that the round of mending is seen.
"""

import json
from typing import Any, Final

from local.demo.hearing import READ, SEARCH, SUBMIT, Heard, hear
from local.demo.quoting import misquote
from local.demo.tasks import Task, TaskError, read_task
from local.model.script import PlainCall, PlainConversation, ScriptedReply

JUDGE: Final = "judge_command"
GIVE_UP: Final = "give_up"
WHO: Final = "(By the demo's scripted stand-in; no model was asked.)"
MISTAKEN_VARIANT: Final = 2
MAX_SUBMISSIONS: Final = 2
MAX_READ: Final = 8
READY: Final = ScriptedReply(text="Ready.")
"""Says that nothing more has to be looked up for all variants."""


def think(said: PlainConversation) -> ScriptedReply:
    """Answer the next turn of a conversation."""
    if JUDGE in said.tools:
        verdict = {"clear": True, "question": "", "readings": [], "likeliest": 0}
        return _call((JUDGE, verdict))
    heard = hear(said)
    try:
        task = read_task(heard)
        looks = _choose_looks(said, heard, task)
        if looks:
            return _call(*looks)
        return READY if heard.is_survey else _submit(heard, task)
    except TaskError as error:
        if heard.is_survey:
            return READY
        return _call((GIVE_UP, {"reason": f"{error} {WHO}"}))


def _choose_looks(
    said: PlainConversation, heard: Heard, task: Task
) -> list[tuple[str, dict[str, Any]]]:
    """Choose what to look up before the change is made; nothing when everything is known."""
    if task.word and heard.found is None and SEARCH in said.tools:
        return [(SEARCH, {"text": task.word, "folder": ""})]
    if READ not in said.tools:
        return []
    wanted = [path for path in task.choose(heard) if path not in heard.read]
    whole: dict[str, Any] = {"first_line": None, "last_line": None}
    return [(READ, {"path": path, **whole}) for path in wanted[:MAX_READ]]


def _submit(heard: Heard, task: Task) -> ScriptedReply:
    if heard.submitted >= MAX_SUBMISSIONS:
        raise TaskError("My edit was refused twice, and I know no better one.")
    edits, summary = task.edit(heard)
    if heard.variant == MISTAKEN_VARIANT and not heard.submitted and "search" in edits[0]:
        edits = [misquote(edits[0]), *edits[1:]]
    return _call((SUBMIT, {"summary": f"{summary} {WHO}", "edits": edits}))


def _call(*calls: tuple[str, dict[str, Any]]) -> ScriptedReply:
    plain = [PlainCall(name, json.dumps(arguments)) for name, arguments in calls]
    return ScriptedReply(calls=tuple(plain))
