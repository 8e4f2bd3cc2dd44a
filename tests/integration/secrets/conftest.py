from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from local.key_vault.server import DEFAULT_CLIENT_ID, VaultStandIn
from shared.secrets.azure_vault import AzureVault, open_identity
from shared.secrets.key_vault import CacheTerms, KeyVaultSecrets

TTL_S = 300.0
STALE_S = 86_400.0
OVERLAP_S = 7 * 86_400.0


@dataclass
class Opened:
    """Secrets over the real SDKs, whose time is the test's own."""

    secrets: KeyVaultSecrets
    vault: VaultStandIn
    seconds: float = 1000.0
    stale: list[tuple[str, str, float]] = field(default_factory=list)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and let happen what happens in the background then."""
        self.seconds += seconds
        self.secrets.refresh_due()

    def count_reads(self) -> int:
        return sum(call.operation.startswith("GET secrets/") for call in self.vault.calls)


OpenSecrets = Callable[..., Opened]


@pytest.fixture
def open_secrets(vault: VaultStandIn) -> Iterator[OpenSecrets]:
    """Open secrets with terms of the test's choice; they are closed at the end."""
    opened: list[Opened] = []

    def open_it(
        ttl_s: float = TTL_S, overlap_s: float = OVERLAP_S, client_id: str = DEFAULT_CLIENT_ID
    ) -> Opened:
        made = Opened(
            KeyVaultSecrets(
                AzureVault(vault.url, lambda: open_identity(client_id)),
                CacheTerms(ttl_s, STALE_S, overlap_s),
                on_stale=lambda *told: made.stale.append(told),
                ticks=lambda: made.seconds,
                in_background=False,
            ),
            vault,
        )
        opened.append(made)
        return made

    yield open_it
    for made in opened:
        made.secrets.close()


@pytest.fixture
def opened(open_secrets: OpenSecrets) -> Opened:
    return open_secrets()
