from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.model.server import ModelStandIn
from shared.llm.accounts import Account, NoAccount
from shared.llm.chat.sdk_chat import SdkChat
from shared.llm.drafting import ModelDrafter
from shared.llm.terms import DraftingTerms
from tests.integration.llm.chatting import Door

OpenChat = Callable[..., SdkChat]
OpenDrafter = Callable[..., ModelDrafter]


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


@pytest.fixture
def open_drafter(open_chat: OpenChat) -> OpenDrafter:
    """Seat a drafter before the test's model, behind one door or several."""

    def open_it(*doors: Door, account: Account | None = None, **terms: Any) -> ModelDrafter:
        chats = [open_chat(door) for door in doors]
        return ModelDrafter(chats, account or NoAccount(), DraftingTerms(**terms))

    return open_it
