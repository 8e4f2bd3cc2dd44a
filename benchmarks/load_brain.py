"""Plays the model of `benchmarks.load`: one turn for each question, after as long as was asked for.

Every variant creates a file of its own, so that none is folded into another.
"""

import json
import math
import os
import random
import time
import uuid
from typing import Final

from local.model.script import PlainCall, PlainConversation, ScriptedReply

MEDIAN: Final = "CODE_AGENT_LOAD_MODEL_S"
SIGMA: Final = "CODE_AGENT_LOAD_MODEL_SIGMA"
SEED: Final = "CODE_AGENT_LOAD_SEED"
_DICE: Final = random.Random(os.environ.get(SEED, "1"))  # noqa: S311 - reproducible, no secret


def think(said: PlainConversation) -> ScriptedReply:
    """Answer after a lognormal time; it runs in a thread."""
    median_s = float(os.environ.get(MEDIAN, "0"))
    if median_s:
        sigma = float(os.environ.get(SIGMA, "0.5"))
        time.sleep(_DICE.lognormvariate(math.log(median_s), sigma))
    if "judge_command" in said.tools:
        return _call("judge_command", clear=True, question="", readings=[], likeliest=0)
    if "# Your variant" not in said.to_text():
        return ScriptedReply(text="Ready.")
    name = uuid.uuid4().hex
    edit = {"action": "create", "path": f"docs/{name}.md", "content": f"# {name}\n"}
    return _call("submit_edits", summary="Adds a page.", edits=[edit])


def _call(name: str, **arguments: object) -> ScriptedReply:
    return ScriptedReply(calls=(PlainCall(name, json.dumps(arguments)),))
