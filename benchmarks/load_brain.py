"""Plays the model of `benchmarks.load`: one turn for each question, after as long as was asked for.

Every variant creates a file of its own, so that none is folded into another.
"""

import json
import math
import os
import random
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Final

from local.model.script import PlainCall, PlainConversation, ScriptedReply

MEDIAN: Final = "CODE_AGENT_LOAD_MODEL_S"
SIGMA: Final = "CODE_AGENT_LOAD_MODEL_SIGMA"


def list_times_s(median_s: float, sigma: float) -> Iterator[float]:
    """List the seconds of the first turn, the second and so on: lognormal, the same each time."""
    dice = random.Random("1")  # noqa: S311 - reproducible, no secret
    while True:
        yield dice.lognormvariate(math.log(median_s), sigma) if median_s else 0.0


_TIMES_S: Final = list_times_s(
    float(os.environ.get(MEDIAN, "0")), float(os.environ.get(SIGMA, "0.5"))
)
_ONE_AT_A_TIME: Final = threading.Lock()


def think(said: PlainConversation) -> ScriptedReply:
    """Answer after its time; it runs in a thread."""
    with _ONE_AT_A_TIME:
        took_s = next(_TIMES_S)
    time.sleep(took_s)
    if "judge_command" in said.tools:
        return _call("judge_command", clear=True, question="", readings=[], likeliest=0)
    if "# Your variant" not in said.to_text():
        return ScriptedReply(text="Ready.")
    name = uuid.uuid4().hex
    edit = {"action": "create", "path": f"docs/{name}.md", "content": f"# {name}\n"}
    return _call("submit_edits", summary="Adds a page.", edits=[edit])


def _call(name: str, **arguments: object) -> ScriptedReply:
    return ScriptedReply(calls=(PlainCall(name, json.dumps(arguments)),))
