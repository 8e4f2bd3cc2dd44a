"""Mends halves of surrogate pairs in what a model wrote: no file, wire or database can hold them.

A model that writes an emoji as an escape may stop in the middle of it.
"""

import re
from dataclasses import replace
from typing import Final

from shared.llm.conversation import BROKEN_CHARACTER, ChatReply

_ESCAPE: Final = re.compile(
    r"\\(?:(?P<pair>u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
"""Every escape of a JSON text, so that an escaped backslash is not taken for the start of one."""


def mend_reply(reply: ChatReply) -> ChatReply:
    """Put BROKEN_CHARACTER in place of each half of a pair, also in the arguments of calls."""
    calls = tuple(
        replace(call, arguments=_mend_escapes(_mend(call.arguments))) for call in reply.calls
    )
    return replace(reply, text=_mend(reply.text), calls=calls)


def _mend(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _mend_escapes(text: str) -> str:
    return _ESCAPE.sub(lambda found: BROKEN_CHARACTER if found["half"] else found[0], text)
