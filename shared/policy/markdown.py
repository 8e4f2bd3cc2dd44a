"""Makes text from outside harmless in a comment: no markup, no mention, no link, no credential.

Source: https://learn.microsoft.com/azure/devops/project/wiki/markdown-guidance
"""

import re
from typing import Final

from shared.domain.credentials import mask_credentials

_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]()#!|~^$:@])|(?<=\bwww)(\.)", re.IGNORECASE)
_LEADING: Final = re.compile(r"^(\d{0,9})([-+=.)/])")
"""What makes a list, a heading or a command only at the start of a line."""
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_FENCE: Final = re.compile(r"`{3,}")


def neutralise_inline(text: str, *, most: int = 200) -> str:
    """Put text on one line, at most `most` characters of it, as literal text in Markdown.

    Every character that could begin markup is escaped: mentions (`@<…>`), work items (`#12`), pull
    requests (`!3`), links, HTML, table cells.
    """
    flat = " ".join(mask_credentials(text).split())
    cut = flat if len(flat) <= most else flat[: most - 1].rstrip() + "…"
    escaped = _LEADING.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1\2", cut))
    return re.sub(r"[&<>]", lambda found: _ENTITIES[found[0]], escaped)


def fence_block(text: str) -> str:
    """Show text over several lines as it is, in a code block that it cannot end."""
    text = mask_credentials(text)
    longest = max((len(run) for run in _FENCE.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}text\n{text.rstrip()}\n{fence}"
