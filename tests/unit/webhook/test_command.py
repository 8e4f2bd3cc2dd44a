import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.commands import (
    CancelCommand,
    Command,
    EditCommand,
    HelpCommand,
    RetryCommand,
    StatusCommand,
)
from shared.domain.errors import CommandError
from shared.webhook.command import looks_like_command, parse_command

RED = "make all buttons red"


@pytest.mark.parametrize(
    ("comment", "command"),
    [
        pytest.param(f"/edit /3 {RED}", EditCommand(RED, 3), id="variants"),
        pytest.param(f"/edit {RED}", EditCommand(RED), id="no-variants"),
        pytest.param(f"/EDIT   /10   {RED}  ", EditCommand(RED, 10), id="case-and-blanks"),
        pytest.param(f"  \n\n /edit {RED}", EditCommand(RED), id="blank-lines-before"),
        pytest.param(f"\ufeff/edit {RED}", EditCommand(RED), id="byte-order-mark"),
        pytest.param(
            f"@<1A2B3C4D-0000-0000-0000-000000000000> /edit {RED}", EditCommand(RED), id="mention"
        ),
        pytest.param(f"@code-agent, /edit {RED}", EditCommand(RED), id="typed-mention"),
        pytest.param("/edit first\r\nsecond\r\n", EditCommand("first\nsecond"), id="lines"),
        pytest.param(f"/edit\n/2\n{RED}", EditCommand(RED, 2), id="parts-on-lines"),
        pytest.param("/edit /src/app.css is red", EditCommand("/src/app.css is red"), id="path"),
        pytest.param("/edit 3 buttons red", EditCommand("3 buttons red"), id="a-number-of-things"),
        pytest.param("/edit ab\u202ecd\x00ef", EditCommand("abcdef"), id="control-marks"),
        pytest.param("/edit 12345", EditCommand("12345"), id="shortest"),
        pytest.param("/edit " + "x" * 2000, EditCommand("x" * 2000), id="longest"),
        pytest.param("/help", HelpCommand(), id="help"),
        pytest.param("/help me", HelpCommand(), id="help-with-words"),
        pytest.param("/status", StatusCommand(), id="status"),
        pytest.param("/cancel\n", CancelCommand(), id="cancel"),
        pytest.param("/retry", RetryCommand(), id="retry"),
        pytest.param("/retry 2", RetryCommand(2), id="retry-one"),
        pytest.param("/retry /2", RetryCommand(2), id="retry-one-with-slash"),
    ],
)
def test_a_command_is_read(comment: str, command: Command) -> None:
    assert looks_like_command(comment)
    assert parse_command(comment) == command


@pytest.mark.parametrize(
    "comment",
    [
        pytest.param("", id="empty"),
        pytest.param("Looks good to me", id="talk"),
        pytest.param(f"please /edit {RED}", id="in-the-middle"),
        pytest.param(f"> /edit {RED}", id="quoted"),
        pytest.param(f"> said\n\n/edit {RED}", id="below-a-quote"),
        pytest.param(f"```\n/edit {RED}\n```", id="fenced"),
        pytest.param(f"    /edit {RED}", id="indented-code"),
        pytest.param(f"\t/edit {RED}", id="tab-indented-code"),
        pytest.param(f"`/edit {RED}`", id="inline-code"),
        pytest.param("/edits are nice", id="another-word"),
        pytest.param("/edit/3 red", id="glued"),
        pytest.param("/deploy now", id="not-ours"),
        pytest.param("edit this", id="no-slash"),
        pytest.param(f"<!-- code-agent job=x -->\n/edit {RED}", id="behind-our-marker"),
        pytest.param(f"@a @b @c /edit {RED}", id="several-mentions"),
    ],
)
def test_talk_about_commands_is_no_command(comment: str) -> None:
    assert not looks_like_command(comment)
    assert parse_command(comment) is None


@pytest.mark.parametrize(
    ("comment", "code"),
    [
        ("/edit", "command.intent_missing"),
        ("/edit /3", "command.intent_missing"),
        ("/edit /3 \x00\x07", "command.intent_missing"),
        ("/edit 1234", "command.intent_too_short"),
        ("/edit " + "x" * 2001, "command.intent_too_long"),
        (f"/edit /0 {RED}", "command.variants_invalid"),
        (f"/edit /11 {RED}", "command.variants_invalid"),
        (f"/edit /-1 {RED}", "command.variants_invalid"),
        (f"/edit /2.5 {RED}", "command.variants_invalid"),
        (f"/edit /{'9' * 400} {RED}", "command.variants_invalid"),
        (f"/edit /٣ {RED}", "command.variants_invalid"),
        (f"/edit /5 {RED}", "command.too_many_variants"),
        ("/retry 0", "command.variant_invalid"),
        ("/retry all", "command.variant_invalid"),
        ("/retry 1 2", None),
    ],
)
def test_a_command_put_wrongly_says_what_is_wrong(comment: str, code: str | None) -> None:
    assert looks_like_command(comment)
    if code is None:
        assert parse_command(comment, max_variants=4) == RetryCommand(1)
        return
    with pytest.raises(CommandError) as wrong:
        parse_command(comment, max_variants=4)
    assert wrong.value.code == code


@given(st.text(max_size=300), st.sampled_from(["", "/edit ", "/edit /3 ", "/retry ", "@x /edit"]))
def test_any_text_is_a_command_or_an_error_or_none(text: str, before: str) -> None:
    comment = before + text
    try:
        command = parse_command(comment)
    except CommandError:
        assert looks_like_command(comment)
        return
    assert (command is not None) == looks_like_command(comment)
    if isinstance(command, EditCommand):
        assert 5 <= len(command.intent) <= 2000
        assert command.intent == command.intent.strip()
