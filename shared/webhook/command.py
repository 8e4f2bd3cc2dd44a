"""Reads what a comment asks the agent to do. Knows Markdown's quotes and code, and no HTTP.

A command stands at the very start of a comment, behind at most one @mention:

    [@mention] /edit [/N] intent…      N from 1 to 10; intent over several lines
    [@mention] /help | /status | /cancel | /retry [k]

Quoted (`>`) and fenced or indented code never counts: people talk about commands too.
"""

import re
import unicodedata
from typing import Final

from shared.domain.commands import (
    COMMAND_TYPES,
    INTENT_LENGTH_MAX,
    INTENT_LENGTH_MIN,
    MAX_VARIANTS,
    CancelCommand,
    Command,
    EditCommand,
    HelpCommand,
    RetryCommand,
    StatusCommand,
)
from shared.domain.errors import CommandError

_START = re.compile(
    r"(?:[ \t]*\r?\n|\ufeff)*[ ]{0,3}"
    r"(?:@(?:<[^<>\n]{1,100}>|[^\s/]{1,100})[ \t:,]*(?:\r?\n[ ]{0,3})?)?"
    rf"/(?P<word>{'|'.join(COMMAND_TYPES)})(?=\s|$)",
    re.IGNORECASE,
)
_COUNT = re.compile(r"\s*/(?P<count>[-+]?\d[\d.,]*)(?=\s|$)")
_VARIANT = re.compile(r"\s*/?(?P<variant>\S+)\s*")
_BIDI: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
"""Marks that make a text read other than it is. Source: https://trojansource.codes"""


def looks_like_command(content: str) -> bool:
    """Answer whether a comment addresses the agent, rightly or wrongly put."""
    return _START.match(content) is not None


def parse_command(content: str, *, max_variants: int = MAX_VARIANTS) -> Command | None:
    """Read the command of a comment; None where it is none.

    Args:
        content: the comment's Markdown.
        max_variants: the operators' cap, 1 to 10.

    Raises:
        CommandError: `command.intent_missing`, `command.intent_too_short`,
            `command.intent_too_long`, `command.variants_invalid`, `command.too_many_variants`,
            `command.variant_invalid`.
    """
    start = _START.match(content)
    if start is None:
        return None
    rest = content[start.end() :]
    match start["word"].lower():
        case "edit":
            return _read_edit(rest, max_variants)
        case "retry":
            return _read_retry(rest)
        case "help":
            return HelpCommand()
        case "status":
            return StatusCommand()
        case _:
            return CancelCommand()


def _read_edit(rest: str, max_variants: int) -> EditCommand:
    count = _COUNT.match(rest)
    variants = None if count is None else _read_count(count["count"], max_variants)
    intent = clean_text(rest[count.end() :] if count else rest)
    if not intent:
        raise CommandError("command.intent_missing", "Say behind `/edit` what should change.")
    if len(intent) < INTENT_LENGTH_MIN:
        raise CommandError(
            "command.intent_too_short",
            f"Say what should change in at least {INTENT_LENGTH_MIN} characters.",
        )
    if len(intent) > INTENT_LENGTH_MAX:
        raise CommandError(
            "command.intent_too_long",
            f"The request has {len(intent)} characters; at most {INTENT_LENGTH_MAX} are read.",
        )
    return EditCommand(intent, variants)


def _read_count(text: str, max_variants: int) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:6]) <= MAX_VARIANTS:
        raise CommandError(
            "command.variants_invalid",
            f"The number of variants is a whole number from 1 to {MAX_VARIANTS}, such as `/3`.",
        )
    if int(text) > max_variants:
        raise CommandError(
            "command.too_many_variants", f"At most {max_variants} variants are allowed here."
        )
    return int(text)


def _read_retry(rest: str) -> RetryCommand:
    if not rest.strip():
        return RetryCommand()
    word = _VARIANT.match(rest)
    text = word["variant"] if word else ""
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:6]) <= MAX_VARIANTS:
        raise CommandError(
            "command.variant_invalid",
            f"`/retry` takes the number of a variant, 1 to {MAX_VARIANTS}, or nothing.",
        )
    return RetryCommand(int(text))


def clean_text(text: str) -> str:
    """Bring a text from outside into one form: plain newlines, no control or direction marks."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = (
        char
        for char in plain
        if char in "\n\t" or (unicodedata.category(char) not in ("Cc", "Cs") and char not in _BIDI)
    )
    return "".join(kept).strip()
