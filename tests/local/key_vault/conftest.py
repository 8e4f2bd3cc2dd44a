from collections.abc import Callable, Iterator
from typing import Any

import pytest
from azure.identity import ManagedIdentityCredential
from azure.keyvault.secrets import SecretClient

from local.key_vault.server import OPERATOR_CLIENT_ID, VaultStandIn

OpenClient = Callable[..., SecretClient]


@pytest.fixture
def open_client(vault: VaultStandIn) -> Iterator[OpenClient]:
    """Open the real SDK's client as an identity; it tries once."""
    opened: list[Any] = []

    def open_it(client_id: str | None = OPERATOR_CLIENT_ID) -> SecretClient:
        credential = ManagedIdentityCredential(client_id=client_id, retry_total=0)
        client = SecretClient(vault.url, credential, retry_total=0, verify_challenge_resource=False)
        opened.extend((client, credential))
        return client

    yield open_it
    for one in opened:
        one.close()


@pytest.fixture
def client(open_client: OpenClient) -> SecretClient:
    """The operator's."""
    return open_client()
