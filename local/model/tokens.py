"""Counts tokens: the bytes of UTF-8, divided by four, rounded up. No tokenizer, but no guess."""

import json
from typing import Any, Final

BYTES_PER_TOKEN: Final = 4


def count_tokens(size_bytes: int) -> int:
    """Answer how many tokens a text of so many bytes is."""
    return -(-size_bytes // BYTES_PER_TOKEN)


def count_text(text: str) -> int:
    """Answer how many tokens a text is."""
    return count_tokens(len(text.encode()))


def cut_text(text: str, tokens: int) -> str:
    """Answer the beginning of a text that is no more than so many tokens."""
    return text.encode()[: tokens * BYTES_PER_TOKEN].decode(errors="ignore")


def write_canonically(value: Any) -> bytes:
    """Write a piece of a prompt so that equal pieces have equal bytes."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
