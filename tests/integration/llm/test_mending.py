"""Edits that do not fit are told of to the model, which mends them or has tried often enough."""

import pytest

from local.model.script import PlainCall, ScriptedReply
from local.model.server import ModelStandIn
from shared.domain.errors import Verdict
from shared.llm.provider import ModelError
from shared.patching.errors import PatchError
from tests.integration.llm.chatting import DOORS, WIRES, Door
from tests.integration.llm.conftest import OpenDrafter
from tests.integration.llm.desk import (
    FILES,
    RED,
    RED_CSS,
    RED_EDIT,
    WRONG,
    WRONG_EDIT,
    build_request,
    call_all,
    replace,
    submit,
    talk,
)
from tests.integration.llm.test_drafting import IN_TEXT

both_wires = pytest.mark.parametrize("door", WIRES.values(), ids=WIRES)


@both_wires
def test_a_repair_is_told_the_failing_block_and_the_nearest_lines(
    model: ModelStandIn, open_drafter: OpenDrafter, door: Door
) -> None:
    brain = model.brain = talk(WRONG, RED)
    draft = open_drafter(door).draft(build_request())
    assert (draft.repair_rounds, draft.patch.changes[0].content) == (1, RED_CSS.encode())
    told = brain.told_as_text(2)
    assert "Hunk 1 of css/site.css does not fit" in told
    assert "\n      --accentuation: blau;\n      --second: x;\n" in told
    assert "     2:   --accent: blue;\n     3: }\n" in told
    assert "You have 3 more tries." in told
    assert brain.heard[1].messages[1].calls[0].arguments.count("--accentuation: blau") == 1


@both_wires
def test_three_rounds_are_enough(
    model: ModelStandIn, open_drafter: OpenDrafter, door: Door
) -> None:
    brain = model.brain = talk(WRONG)
    with pytest.raises(PatchError) as caught:
        open_drafter(door).draft(build_request())
    assert (caught.value.code, caught.value.verdict) == ("patch.context_not_found", Verdict.BUG)
    assert [one["ok"] for one in caught.value.details["calls"]] == [True]
    assert len(brain.heard) == 4
    assert "This is your last try." in brain.told_as_text(4)


def test_without_rounds_the_first_failure_is_the_last(
    model: ModelStandIn, open_drafter: OpenDrafter
) -> None:
    brain = model.brain = talk(WRONG)
    with pytest.raises(PatchError):
        open_drafter(WIRES["openai"], repair_rounds=0).draft(build_request())
    assert len(brain.heard) == 1


def test_all_failures_of_an_answer_are_told_at_once(
    model: ModelStandIn, open_drafter: OpenDrafter
) -> None:
    second = replace("  colour: weiss;\n  zzz", "  color: black;")
    brain = model.brain = talk(submit(WRONG_EDIT, second), RED)
    open_drafter(WIRES["anthropic"]).draft(build_request())
    told = brain.told_as_text(2)
    assert "Hunk 1 of css/site.css does not fit" in told
    assert "Hunk 2 of css/site.css does not fit" in told


@both_wires
@pytest.mark.parametrize("edit_format", IN_TEXT)
def test_a_repair_in_text_is_told_in_text(
    model: ModelStandIn, open_drafter: OpenDrafter, door: Door, edit_format: str
) -> None:
    wrong = IN_TEXT[edit_format].replace("css/site.css", "css/other.css").replace("/dev", "")
    answers = (ScriptedReply(text="Gladly."), ScriptedReply(text=wrong))
    brain = model.brain = talk(*answers, ScriptedReply(text=IN_TEXT[edit_format]))
    draft = open_drafter(door, edit_format=edit_format).draft(build_request())
    assert "There was no edit in your answer. Write the whole change" in brain.told_as_text(2)
    if edit_format == "whole_file":  # it made a new file
        assert draft.patch.changes[0].path == "css/other.css"
    else:
        assert "css/other.css" in brain.told_as_text(3)
        assert (draft.repair_rounds, draft.patch.changes[0].content) == (2, RED_CSS.encode())


@both_wires
@pytest.mark.parametrize("text", ["", "I would make them red.", "   \n"])
def test_an_answer_without_an_edit_is_asked_for_one(
    model: ModelStandIn, open_drafter: OpenDrafter, door: Door, text: str
) -> None:
    brain = model.brain = talk(ScriptedReply(text=text), RED)
    assert open_drafter(door).draft(build_request()).repair_rounds == 1
    assert "Call `submit_edits` with the whole change" in "\n".join(
        text for message in brain.heard[1].messages for text in message.texts
    )


@both_wires
def test_who_never_makes_an_edit_fails(
    model: ModelStandIn, open_drafter: OpenDrafter, door: Door
) -> None:
    model.brain = talk(ScriptedReply(text="I would make them red."))
    with pytest.raises(ModelError) as caught:
        open_drafter(door).draft(build_request())
    assert (caught.value.code, caught.value.verdict) == ("model.no_edit", Verdict.BUG)
    assert len(model.calls.calls) == 4


CUT_OFF = [
    pytest.param(ScriptedReply(text="I begin", stop="length"), id="text"),
    pytest.param(ScriptedReply(text="", stop="length"), id="nothing"),
    pytest.param(
        ScriptedReply(calls=(PlainCall("submit_edits", '{"summary": "Re'),), stop="length"),
        id="call",
    ),
]


@both_wires
@pytest.mark.parametrize("cut", CUT_OFF)
def test_an_answer_that_was_cut_off_is_asked_for_shorter(
    model: ModelStandIn, open_drafter: OpenDrafter, door: Door, cut: ScriptedReply
) -> None:
    brain = model.brain = talk(cut, RED)
    draft = open_drafter(door).draft(build_request())
    assert (draft.repair_rounds, draft.patch.changes[0].content) == (1, RED_CSS.encode())
    assert "was cut off at its limit" in str(brain.heard[1])


def test_an_answer_that_is_always_cut_off_is_not_tried_again(
    model: ModelStandIn, open_drafter: OpenDrafter
) -> None:
    model.brain = talk(ScriptedReply(text="I begin", stop="length"))
    with pytest.raises(ModelError) as caught:
        open_drafter(WIRES["openai"]).draft(build_request())
    assert (caught.value.code, caught.value.verdict) == ("model.cut_off", Verdict.BUG)


@both_wires
def test_two_submissions_at_once_are_none(
    model: ModelStandIn, open_drafter: OpenDrafter, door: Door
) -> None:
    brain = model.brain = talk(call_all(RED, RED), RED)
    draft = open_drafter(door).draft(build_request())
    assert draft.repair_rounds == 1
    assert brain.told_as_text(2).count("Call `submit_edits` just once") == 2


BROKEN = {
    "not whole": '{"summary": "x", "edits": [',
    "no object": '"red"',
    "no list": '{"summary": "x", "edits": 3}',
    "no edits": '{"summary": "x", "edits": []}',
    "too deep": '{"summary": "x", "edits": ' + "[" * 20_000,
    "half a pair": '{"summary": "\\ud83d", "edits": [{"action": "create", "path": "a.txt", '
    '"content": "\\ud83d"}]}',
}


@both_wires
@pytest.mark.parametrize("arguments", BROKEN.values(), ids=BROKEN)
def test_arguments_that_cannot_be_read_are_mended(
    model: ModelStandIn, open_drafter: OpenDrafter, door: Door, arguments: str
) -> None:
    brain = model.brain = talk(
        ScriptedReply(calls=(PlainCall("submit_edits", arguments),)),
        RED,
    )
    draft = open_drafter(door).draft(build_request())
    assert (draft.repair_rounds, draft.summary) == (1, "The accent is red now.")
    assert "Send the whole change again, mended." in brain.told_as_text(2)


def test_a_server_that_reads_the_arguments_of_earlier_calls_is_sent_objects(
    model: ModelStandIn, open_drafter: OpenDrafter
) -> None:
    cut_off = ScriptedReply(
        calls=(PlainCall("submit_edits", '{"summary": "Red", "edits": [{"path": "c'),),
        stop="length",
    )
    model.brain = talk(cut_off, RED)
    assert open_drafter(DOORS["ollama"]).draft(build_request()).repair_rounds == 1


@both_wires
@pytest.mark.parametrize("arguments", ["{}", "nonsense", "[1, 2]", '{"path": 3}'])
@pytest.mark.parametrize("name", ["bash", "read_file"])
def test_a_call_that_cannot_be_carried_out_is_answered(
    model: ModelStandIn, open_drafter: OpenDrafter, door: Door, name: str, arguments: str
) -> None:
    brain = model.brain = talk(ScriptedReply(calls=(PlainCall(name, arguments),)), RED)
    assert open_drafter(door).draft(build_request()).repair_rounds == 0
    said = "There is no such tool" if name == "bash" else "must be"
    assert said in brain.told_as_text(2)


REFUSED = {
    "climbs": ({"path": "../x", "action": "create", "content": "x"}, "patch.path_refused"),
    "absolute": ({"path": "/etc/x", "action": "create", "content": "x"}, "patch.path_refused"),
    "git": ({"path": ".git/config", "action": "create", "content": "x"}, "patch.path_refused"),
    "link": (replace("a", "b", "link/app.js"), "patch.path_refused"),
    "pipeline": (
        {"path": "azure-pipelines.yml", "action": "create", "content": "x: 1\n"},
        "patch.protected",
    ),
    "secret file": ({"path": ".env", "action": "overwrite", "content": "A=1\n"}, "patch.protected"),
    "credential": (
        {"path": "a.txt", "action": "create", "content": "key AKIA" + "Q" * 16 + "\n"},
        "patch.secret_introduced",
    ),
}


@pytest.mark.parametrize(("edit", "code"), REFUSED.values(), ids=REFUSED)
def test_what_the_rules_refuse_stays_refused(
    model: ModelStandIn, open_drafter: OpenDrafter, edit: dict[str, object], code: str
) -> None:
    brain = model.brain = talk(submit(RED_EDIT, edit))
    files = FILES | {"link": b"src", ".env": b"PASSWORD=hunter2\n"}
    with pytest.raises(PatchError) as caught:
        open_drafter(WIRES["anthropic"], repair_rounds=1).draft(
            build_request(files, symlinks={"link"})
        )
    assert (caught.value.code, caught.value.verdict) == (code, Verdict.POLICY)
    assert len(brain.heard) == 2


def test_a_character_that_is_whole_is_written_as_it_is(
    model: ModelStandIn, open_drafter: OpenDrafter
) -> None:
    content = "\U0001f600 \\ud83d\n"  # an emoji as a pair of escapes, and an escaped backslash
    model.brain = talk(submit({"action": "create", "path": "a.txt", "content": content}))
    draft = open_drafter(WIRES["openai"]).draft(build_request())
    assert draft.patch.changes[0].content == content.encode()


@both_wires
def test_what_fits_is_kept_and_only_the_rest_is_sent_again(
    model: ModelStandIn, open_drafter: OpenDrafter, door: Door
) -> None:
    guide = replace("Buttons are blue.", "Buttons are red.", path="docs/guide.md")
    brain = model.brain = talk(submit(guide, WRONG_EDIT), RED)
    request = build_request()
    draft = open_drafter(door).draft(request)
    after = {change.path: change.content for change in draft.patch.changes}
    assert after == {
        "css/site.css": RED_CSS.encode(),
        "docs/guide.md": b"# Guide\n\nButtons are red.\n",
    }
    told = brain.told_as_text(2)
    assert "These edits fit and need not be sent again:\n- docs/guide.md: Buttons are blue." in told
    assert "Send only what did not fit, mended" in told
    # what is kept of the draft is the whole change, not the last answer alone
    assert request.apply(draft.edits, draft.edit_format).changes == draft.patch.changes
