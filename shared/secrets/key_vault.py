"""Secrets of a vault, kept for a while, read anew before that is over, and served while it is away.

One thread reads everything again that is about to grow old, so that nobody waits for the vault but
whoever needs a secret first. While the vault does not answer, what is kept is served and said so.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from shared.domain.clock import Clock, read_utc_clock
from shared.secrets.azure_vault import SecretVersion, Trouble, Vault, VaultError
from shared.secrets.errors import SecretMissingError, SecretsUnavailableError
from shared.secrets.source import LINK_KEY, PAGES_KEY, WEBHOOK_SECRET

OVERLAPPING: Final = frozenset({WEBHOOK_SECRET, LINK_KEY, PAGES_KEY})
"""Secrets, or what was made of them, that others show to us: the previous version counts too."""
REFRESH_AT: Final = 0.75
"""Part of its time after which a value is read anew."""
ABSENT_S: Final = 15.0
"""How long it is believed that a secret is not there: `refresh` asks before that."""
FORCED_EVERY_S: Final = 5.0
"""A secret is not read anew on demand more often: whoever guesses passwords could demand it."""
FIRST_BACKOFF_S: Final = 1.0
MAX_BACKOFF_S: Final = 60.0
TELL_EVERY_S: Final = 300.0
_LONG_AGO: Final = float("-inf")

_LOG = logging.getLogger("code_agent.secrets")

StaleListener = Callable[[str, str, float], None]
"""Hears the name, why the vault does not answer, and how many seconds old what is served is."""


@dataclass(frozen=True, slots=True)
class CacheTerms:
    """How long a value counts."""

    ttl_s: float
    """Until it is read anew."""
    stale_s: float
    """Until it is served no longer, though the vault does not answer."""
    overlap_s: float
    """From the writing of a version on: until the one before it counts no longer."""


@dataclass(slots=True)
class _Kept:
    """What is known of one secret; `fetching` is held while it is being read."""

    fetching: threading.Lock = field(default_factory=threading.Lock)
    versions: tuple[SecretVersion, ...] | None = None
    """Newest first; empty when there is none, None before it was known."""
    fetched_at: float = _LONG_AGO
    next_try_at: float = _LONG_AGO
    forced_at: float = _LONG_AGO
    told_at: float = _LONG_AGO
    failures: int = 0


class KeyVaultSecrets:
    """The secrets of a vault. Threads may share it."""

    def __init__(
        self,
        vault: Vault,
        terms: CacheTerms,
        *,
        on_stale: StaleListener = lambda *_: None,
        now: Clock = read_utc_clock,
        ticks: Callable[[], float] = time.monotonic,
        in_background: bool = True,
    ) -> None:
        """Take a vault; it is not read before a secret is.

        Args:
            vault: where the secrets are.
            terms: how long they count.
            on_stale: hears that old values are served, every few minutes.
            now: the time of day, for what the vault dates.
            ticks: seconds that only go forward, for what is kept here.
            in_background: whether a thread reads anew what grows old; else `refresh_due` does.
        """
        self._vault = vault
        self._terms = terms
        self._on_stale = on_stale
        self._now = now
        self._ticks = ticks
        self._in_background = in_background
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def read(self, name: str) -> str:
        """Read the current value of a secret; from the vault only when none is kept.

        Raises:
            SecretMissingError: it is not there, or blank.
            SecretsUnavailableError: the vault does not answer, and no value is kept.
        """
        versions = self._look_up(name)
        if not versions:
            raise SecretMissingError(name)
        return versions[0].value

    def read_accepted(self, name: str) -> tuple[str, ...]:
        """Read every value that is accepted now: the current and, while rotating, the previous.

        Raises:
            SecretsUnavailableError: as `read`; one that is not there is an empty tuple.
        """
        versions = self._look_up(name)
        if not versions:
            return ()
        now = self._now()
        ends = versions[0].created_at + timedelta(seconds=self._terms.overlap_s)
        older = versions[1:2] if now <= ends else ()
        still = [one for one in older if one.expires_at is None or now < one.expires_at]
        return tuple(one.value for one in (versions[0], *still))

    def refresh(self, name: str) -> None:
        """Read a secret anew, unless that was just done or the vault is being left alone."""
        asked_at = self._ticks()
        kept = self._find(name)
        with kept.fetching:
            was_just_done = max(kept.fetched_at, kept.forced_at + FORCED_EVERY_S) >= asked_at
            if was_just_done or asked_at < kept.next_try_at:
                return
            kept.forced_at = asked_at
            self._fetch(name, kept)

    def is_kept(self, name: str) -> bool:
        """Answer whether a secret can be read without waiting for the vault."""
        return bool(self._find(name).versions)

    def is_stale(self, name: str) -> bool:
        """Answer whether an old value is served, because the vault does not answer."""
        kept = self._find(name)
        return bool(kept.versions) and kept.failures > 0

    def find_expiry(self, name: str) -> datetime | None:
        """Answer when a secret expires; None where nobody has said so, or it is not there.

        Raises:
            SecretsUnavailableError: as `read`.
        """
        versions = self._look_up(name)
        return versions[0].expires_at if versions else None

    def refresh_due(self) -> float:
        """Read everything anew that is about to grow old; answers the seconds until the next is."""
        with self._lock:
            known = list(self._kept.items())
        for name, kept in known:
            if self._due_at(kept) <= self._ticks() and kept.fetching.acquire(blocking=False):
                try:
                    self._fetch(name, kept)
                finally:
                    kept.fetching.release()
        return min((self._due_at(kept) for _, kept in known), default=0.0) - self._ticks()

    def close(self) -> None:
        """Stop reading in the background and close the connections."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        self._vault.close()

    def _look_up(self, name: str) -> tuple[SecretVersion, ...]:
        kept = self._find(name)
        # only what is not known is waited for, and only when it was not known before
        if self._is_wanted(kept) and kept.fetching.acquire(blocking=kept.versions is None):
            try:
                if self._is_wanted(kept):
                    self._fetch(name, kept)
            finally:
                kept.fetching.release()
        versions = kept.versions
        if versions is None or (versions and self._age_s(kept) > self._terms.stale_s):
            wait_s = max(kept.next_try_at - self._ticks(), 0.0)
            raise SecretsUnavailableError(name, retry_after_s=wait_s)
        return versions

    def _find(self, name: str) -> _Kept:
        with self._lock:
            if self._in_background and self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="code-agent-secrets", daemon=True
                )
                self._thread.start()
            return self._kept.setdefault(name, _Kept())

    def _work(self) -> None:
        wait_s = 0.0
        while not self._stopping.wait(min(max(wait_s, 0.05), 1.0)):
            try:
                wait_s = self.refresh_due()
            except Exception:  # noqa: BLE001 - without this thread all would grow old in silence
                _LOG.exception("secrets could not be read anew")
                self._stopping.wait(MAX_BACKOFF_S)

    def _fetch(self, name: str, kept: _Kept) -> None:
        """Read from the vault; the caller holds `fetching`. A failure is kept, not raised."""
        try:
            versions = self._vault.fetch(name, with_previous=name in OVERLAPPING)
        except VaultError as error:
            kept.failures += 1
            backoff_s = min(FIRST_BACKOFF_S * 2 ** (kept.failures - 1), MAX_BACKOFF_S)
            kept.next_try_at = self._ticks() + max(backoff_s, min(error.retry_after_s or 0.0, 300))
            self._tell(name, kept, error.trouble)
            return
        kept.versions = tuple(one for one in versions if one.value)
        kept.fetched_at = self._ticks()
        kept.next_try_at = kept.told_at = _LONG_AGO
        kept.failures = 0

    def _tell(self, name: str, kept: _Kept, trouble: Trouble) -> None:
        if self._ticks() - kept.told_at < TELL_EVERY_S:
            return
        kept.told_at = self._ticks()
        if not kept.versions:
            _LOG.warning("%s cannot be read: the vault is %s", name, trouble)
            return
        _LOG.warning("%s is served from memory: the vault is %s", name, trouble)
        self._on_stale(name, str(trouble), self._age_s(kept))

    def _is_wanted(self, kept: _Kept) -> bool:
        """Tell what whoever reads has to ask for: the rest is read in the background."""
        return (
            not kept.versions
            and self._age_s(kept) >= ABSENT_S
            and self._ticks() >= kept.next_try_at
        )

    def _age_s(self, kept: _Kept) -> float:
        return self._ticks() - kept.fetched_at

    def _due_at(self, kept: _Kept) -> float:
        """Answer when to read in the background: never what is not there, nor before a backoff."""
        if not kept.versions:
            return float("inf")
        return max(kept.fetched_at + REFRESH_AT * self._terms.ttl_s, kept.next_try_at)
