"""What a provider's prompt cache holds, and what a request reads from it and writes into it.

Two ways, as the services have them. *Marked*: an entry ends at a mark that the request sets, and is
found again at a mark or up to twenty pieces before one (Anthropic; OpenAI since GPT-5.6, where one
mark is set by the service). *Unmarked*: the longest beginning that an earlier request had too, in
steps of 128 tokens (OpenAI before GPT-5.6). Nothing below 1024 tokens is kept, and nothing for
longer than five minutes after its last use. An entry can be read once its request is answered, not
before: requests that run side by side do not help each other.

Sources: https://platform.claude.com/docs/en/build-with-claude/prompt-caching
https://developers.openai.com/api/docs/guides/prompt-caching
The minimum is 512 to 4096 tokens with some models of Anthropic's; here it is the same for all.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from local.model.tokens import BYTES_PER_TOKEN, count_tokens

TTL_S: Final = 300.0
MINIMUM_TOKENS: Final = 1024
STEP_TOKENS: Final = 128
LOOKBACK_PIECES: Final = 20


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as pieces, in the order in which a cache sees them."""

    pool: str
    """Only prompts of one pool share entries: the account, the model, a routing key."""
    pieces: Sequence[bytes]
    marks: Sequence[int] = ()
    """Indices of the pieces after which an entry ends, ascending."""


@dataclass(frozen=True, slots=True)
class CacheUse:
    """What a request has to do with the cache, in tokens."""

    total: int
    read: int = 0
    written: int = 0
    entries: tuple[str, ...] = ()
    """What is to be kept when the request is answered."""


@dataclass(slots=True)
class PromptCache:
    """Entries and when they expire."""

    clock: Callable[[], float] = time.monotonic
    _expiries: dict[str, float] = field(default_factory=dict)

    def look_up_marked(self, prompt: Prompt) -> CacheUse:
        """Answer what a request with marks reads and will write."""
        ends = _end_entries(prompt.pool, prompt.pieces)
        sizes = _measure(prompt.pieces)
        total = sizes[-1] if sizes else 0
        places = (
            place
            for mark in reversed(prompt.marks)
            for place in range(mark, max(mark - LOOKBACK_PIECES, -1), -1)
        )
        found = next((place for place in places if self._touch(ends[place])), None)
        read = 0 if found is None else sizes[found]
        kept = [mark for mark in prompt.marks if sizes[mark] >= MINIMUM_TOKENS]
        written = max(sizes[kept[-1]] - read, 0) if kept else 0
        return CacheUse(total, read, written, tuple(ends[mark] for mark in kept))

    def look_up_unmarked(self, prompt: Prompt) -> CacheUse:
        """Answer what a request without marks reads; writing is free and not told."""
        whole = b"".join(prompt.pieces)
        step = STEP_TOKENS * BYTES_PER_TOKEN
        steps = [whole[at : at + step] for at in range(0, len(whole) - step + 1, step)]
        ends = _end_entries(prompt.pool, steps)
        found = next((at for at in range(len(ends) - 1, -1, -1) if self._touch(ends[at])), -1)
        read = (found + 1) * STEP_TOKENS
        total = count_tokens(len(whole))
        least = MINIMUM_TOKENS // STEP_TOKENS
        return CacheUse(total, read if found + 1 >= least else 0, 0, tuple(ends[least - 1 :]))

    def keep(self, entries: Iterable[str]) -> None:
        """Keep what an answered request leaves."""
        for entry in entries:
            self._expiries[entry] = self.clock() + TTL_S

    def clear(self) -> None:
        """Forget everything."""
        self._expiries.clear()

    def _touch(self, entry: str) -> bool:
        if self._expiries.get(entry, 0.0) <= self.clock():
            return False
        self._expiries[entry] = self.clock() + TTL_S
        return True


def _end_entries(pool: str, pieces: Sequence[bytes]) -> list[str]:
    """Answer, for each piece, the name of the beginning that ends with it."""
    running = hashlib.sha256(pool.encode())
    ends = []
    for piece in pieces:
        running.update(len(piece).to_bytes(8, "big"))
        running.update(piece)
        ends.append(running.hexdigest())
    return ends


def _measure(pieces: Sequence[bytes]) -> list[int]:
    """Answer, for each piece, the tokens up to its end."""
    size = 0
    sizes = []
    for piece in pieces:
        size += len(piece)
        sizes.append(count_tokens(size))
    return sizes
