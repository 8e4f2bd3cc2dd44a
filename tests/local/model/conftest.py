import pytest

from local.model.server import ModelStandIn
from tests.local.model.client import Client


@pytest.fixture
def client(model: ModelStandIn) -> Client:
    return Client(model)
