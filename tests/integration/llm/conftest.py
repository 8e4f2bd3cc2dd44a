from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.model.server import ModelStandIn
from shared.llm.chat.sdk_chat import SdkChat
from tests.integration.llm.chatting import Door

OpenChat = Callable[..., SdkChat]


@pytest.fixture
def open_chat(model: ModelStandIn) -> Iterator[OpenChat]:
    """Open a door to the test's model; it is closed at the end."""
    opened: list[SdkChat] = []

    def open_it(door: Door, **options: Any) -> SdkChat:
        opened.append(door.open(model, **options))
        return opened[-1]

    yield open_it
    for chat in opened:
        chat.close()
