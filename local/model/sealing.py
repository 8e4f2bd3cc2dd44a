"""Seals what a model thought, for those who keep nothing at Responses, and opens it again.

Source: https://cookbook.openai.com/examples/responses_api/reasoning_items
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final

from local.model.errors import expect, refuse

INCLUDED: Final = "reasoning.encrypted_content"
_KEY: Final = b"of this stand-in alone"
_FOLLOWING: Final = ("function_call", "message", "reasoning")


def seal(item_id: str, model: str) -> str:
    """Answer the sealed content of an item."""
    return hmac.new(_KEY, f"{model} {item_id}".encode(), hashlib.sha256).hexdigest()


def write_thought(answer_id: str, model: str) -> dict[str, Any]:
    """Write the item that goes ahead of an answer."""
    item_id = f"rs_{answer_id}"
    return {
        "id": item_id,
        "type": "reasoning",
        "summary": [],
        "encrypted_content": seal(item_id, model),
    }


def check_thought(items: Sequence[Any], at: int, model: str) -> None:
    """Hold an item that comes back against what was given out.

    Raises:
        RefusalError: it is unknown, or stands where it did not stand.
    """
    item: Mapping[str, Any] = items[at]
    item_id = expect(item.get("id"), str, f"input[{at}].id")
    expect(item.get("summary"), list, f"input[{at}].summary")
    sealed = item.get("encrypted_content")
    if sealed is None:
        raise refuse(
            f"Item with id '{item_id}' not found. Items are not persisted when `store` is set to "
            "false. Try again with `store` set to true, or remove this item from your input.",
            "input",
        )
    if not hmac.compare_digest(str(sealed), seal(item_id, model)):
        raise refuse(
            f"The encrypted content for item {item_id} could not be verified.",
            "",
            "invalid_encrypted_content",
        )
    following = items[at + 1] if at + 1 < len(items) else {}
    is_own = following.get("role", "assistant") == "assistant"
    if following.get("type", "message") not in _FOLLOWING or not following or not is_own:
        raise refuse(
            f"Item '{item_id}' of type 'reasoning' was provided without its required following "
            "item.",
            "input",
        )
