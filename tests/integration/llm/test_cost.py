"""What ten variants cost: the shared part is paid once, by the server's own accounting."""

import threading
from dataclasses import astuple

import pytest

from local.model.script import ScriptedReply
from local.model.server import ModelStandIn
from shared.llm.conversation import ChatReply, Role, ToolResult, Turn
from shared.llm.provider import Usage
from tests.conftest import RecordFigure
from tests.integration.llm.chatting import DOORS, ask, say, submit_then_thank
from tests.integration.llm.conftest import OpenChat

STRATEGY = "Variant {number}: change as little as you can, and say in one sentence what you did.\n"
READ_PRICE, WRITE_PRICE = 0.1, 1.25
"""Of a token's own price. Sources: https://platform.claude.com/docs/en/about-claude/pricing,
https://developers.openai.com/api/docs/guides/prompt-caching"""


def weigh(usage: Usage) -> float:
    """Answer what the input costs, in tokens at the full price."""
    plain = usage.tokens_in - usage.tokens_cached - usage.tokens_cache_written
    return plain + usage.tokens_cached * READ_PRICE + usage.tokens_cache_written * WRITE_PRICE


def add_up(usages: list[Usage]) -> Usage:
    return sum(usages[1:], usages[0])


@pytest.mark.parametrize(
    "name", ["anthropic", "anthropic-thinking", "openai", "openai-responses", "openai-reasoning"]
)
def test_ten_variants_cost_at_most_two_and_a_half_times_one(
    model: ModelStandIn, open_chat: OpenChat, record_property: RecordFigure, name: str
) -> None:
    model.brain = say(ScriptedReply(text="done"))
    chat = open_chat(DOORS[name])
    one = chat.reply(ask(STRATEGY.format(number=1), must_call="submit_edits")).usage
    model.cache.clear()
    model.calls.clear()

    ten: list[ChatReply] = [chat.reply(ask(STRATEGY.format(number=1), must_call="submit_edits"))]
    threads = [
        threading.Thread(
            target=lambda number=number: ten.append(
                chat.reply(ask(STRATEGY.format(number=number), must_call="submit_edits"))
            )
        )
        for number in range(2, 11)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    counted = [
        Usage(call.tokens_in, call.tokens_cached, call.tokens_cache_written, call.tokens_out)
        for call in model.calls.calls
    ]
    assert len(counted) == 10
    assert sorted(map(astuple, counted)) == sorted(astuple(reply.usage) for reply in ten)
    together = add_up(counted)
    uncached = together.tokens_in - together.tokens_cached
    assert uncached <= 2.5 * one.tokens_in
    assert weigh(together) <= 2.5 * weigh(one)
    record_property(
        "figure",
        f"ten variants over {name}: {together.tokens_in} tokens sent, {together.tokens_cached} from"
        f" the cache; {uncached / one.tokens_in:.2f} times one variant's tokens uncached,"
        f" {weigh(together) / weigh(one):.2f} times its price",
    )


@pytest.mark.parametrize("name", ["anthropic", "openai", "openai-responses", "openai-reasoning"])
def test_the_next_round_reads_what_the_last_one_left(
    model: ModelStandIn, open_chat: OpenChat, name: str
) -> None:
    model.brain = submit_then_thank
    chat = open_chat(DOORS[name])
    first = chat.reply(ask())
    results = tuple(ToolResult(call.id, "applied") for call in first.calls)
    second = chat.reply(
        ask(
            "Make all buttons red.",
            Turn(Role.ASSISTANT, first.text, calls=first.calls),
            Turn(Role.USER, results=results),
        )
    )
    assert second.usage.tokens_cached >= first.usage.tokens_in - 128
    assert second.usage.tokens_in > first.usage.tokens_in


def test_a_long_cache_key_is_shortened_to_another_one_for_each(
    model: ModelStandIn, open_chat: OpenChat
) -> None:
    model.brain = say(ScriptedReply(text="done"))
    chat = open_chat(DOORS["openai"])
    keys = ("k" * 70, "k" * 70 + "other", "k" * 70)
    cached = [chat.reply(ask(cache_key=key)).usage.tokens_cached for key in keys]
    assert cached[:2] == [0, 0]
    assert cached[2] > 1024
