"""A model drafts over either wire: it looks around, submits edits in any form, or gives up."""

import json

import pytest

from local.model.script import PlainCall, ScriptedReply
from local.model.server import ModelStandIn
from shared.domain.errors import Verdict
from shared.llm.prompt import mark_data
from shared.llm.provider import ModelError, RequestError
from shared.patching.script import Rung
from tests.integration.llm.chatting import DOORS, WIRES, Door
from tests.integration.llm.conftest import OpenDrafter
from tests.integration.llm.desk import (
    NONCE,
    RED,
    RED_CSS,
    RED_EDIT,
    build_request,
    call,
    call_all,
    submit,
    talk,
)

both_wires = pytest.mark.parametrize("door", WIRES.values(), ids=WIRES)


@pytest.mark.parametrize(
    "name", ["anthropic", "anthropic-thinking", "openai", "openai-reasoning", "azure-v1", "ollama"]
)
def test_edits_that_fit_are_a_draft_at_once(
    model: ModelStandIn, open_drafter: OpenDrafter, name: str
) -> None:
    door = DOORS[name]
    model.brain = talk(RED)
    draft = open_drafter(door).draft(build_request())
    change = draft.patch.changes[0]
    assert (change.path, change.content) == ("css/site.css", RED_CSS.encode())
    assert [hunk.rung for hunk in draft.patch.hunks] == [Rung.EXACT]
    assert draft.summary == "The accent is red now."
    assert (draft.provider, draft.model) == (str(door.provider), door.model)
    assert (draft.repair_rounds, len(model.calls.calls)) == (0, 1)
    assert draft.outcomes == (
        {"provider": str(door.provider), "ok": True, "code": None, "retry_after_s": None},
    )


@both_wires
def test_what_a_model_is_told_stands_in_its_place(
    model: ModelStandIn, open_drafter: OpenDrafter, door: Door
) -> None:
    brain = model.brain = talk(RED)
    open_drafter(door, tool_rounds=4).draft(build_request(variant=2, variants=3))
    said = brain.heard[0]
    assert "in 4 rounds at most" in said.system
    assert list(said.tools) == ["list_files", "search", "read_file", "submit_edits", "give_up"]
    shared, request = said.messages[0].texts
    assert "make all buttons red" not in shared
    assert "css/site.css" in shared
    assert "This is variant 2 of 3" in request
    assert "make all buttons red" in request


ADVICE = "I made the accent red."
IN_TEXT = {
    "search_replace": f"{ADVICE}\n\ncss/site.css\n<<<<<<< SEARCH\n  --accent: blue;\n=======\n"
    "  --accent: red;\n>>>>>>> REPLACE\n",
    "unified_diff": f"{ADVICE}\n\n```diff\n--- a/css/site.css\n+++ b/css/site.css\n"
    "@@ -1,5 +1,5 @@\n :root {\n-  --accent: blue;\n+  --accent: red;\n }\n \n .button {\n```\n",
    "v4a": f"{ADVICE}\n\n*** Begin Patch\n*** Update File: css/site.css\n@@ :root {{\n"
    "-  --accent: blue;\n+  --accent: red;\n }\n*** End Patch\n",
    "whole_file": f"{ADVICE}\n\ncss/site.css\n```css\n{RED_CSS}```\n",
}


@both_wires
@pytest.mark.parametrize("edit_format", IN_TEXT)
def test_every_form_of_edits_is_read_where_it_is_set(
    model: ModelStandIn, open_drafter: OpenDrafter, door: Door, edit_format: str
) -> None:
    brain = model.brain = talk(ScriptedReply(text=IN_TEXT[edit_format]))
    draft = open_drafter(door, edit_format=edit_format).draft(build_request())
    assert draft.patch.changes[0].content == RED_CSS.encode()
    assert (draft.edit_format, draft.summary) == (edit_format, ADVICE)
    assert "submit_edits" not in brain.heard[0].tools


@pytest.mark.parametrize("edit_format", IN_TEXT)
def test_an_answer_in_text_is_taken_for_a_call(
    model: ModelStandIn, open_drafter: OpenDrafter, edit_format: str
) -> None:
    model.brain = talk(ScriptedReply(text=IN_TEXT[edit_format]))
    draft = open_drafter(WIRES["anthropic"]).draft(build_request())
    assert draft.patch.changes[0].content == RED_CSS.encode()
    assert (draft.summary, draft.repair_rounds) == (ADVICE, 0)


@pytest.mark.parametrize("fence", ["{}", "```json\n{}\n```"])
def test_arguments_written_as_text_are_taken_for_a_call_with_their_summary(
    model: ModelStandIn, open_drafter: OpenDrafter, fence: str
) -> None:
    model.brain = talk(ScriptedReply(text=fence.replace("{}", RED.calls[0].arguments)))
    draft = open_drafter(WIRES["openai"]).draft(build_request())
    assert draft.patch.changes[0].content == RED_CSS.encode()
    assert draft.summary == "The accent is red now."


def test_a_call_is_taken_where_text_was_asked_for(
    model: ModelStandIn, open_drafter: OpenDrafter
) -> None:
    model.brain = talk(RED)
    draft = open_drafter(WIRES["anthropic"], edit_format="v4a").draft(build_request())
    assert draft.edit_format == "structured"


@pytest.mark.parametrize("name", [*WIRES, "ollama"])
def test_a_model_looks_around_before_it_submits(
    model: ModelStandIn, open_drafter: OpenDrafter, name: str
) -> None:
    looks = call_all(
        call("list_files", folder="docs"),
        call("search", text="BLUE", folder=""),
        call("read_file", path="css/site.css", first_line=2, last_line=2),
    )
    brain = model.brain = talk(looks, RED)
    draft = open_drafter(DOORS[name]).draft(build_request())
    assert brain.told(2) == [
        mark_data("docs/guide.md", NONCE),
        mark_data("css/site.css:2: --accent: blue;\ndocs/guide.md:3: Buttons are blue.", NONCE),
        mark_data("    2   --accent: blue;\n… lines 3 to 8 follow", NONCE),
    ]
    assert (draft.repair_rounds, len(brain.heard)) == (0, 2)


@both_wires
def test_who_has_looked_enough_is_told_so(
    model: ModelStandIn, open_drafter: OpenDrafter, door: Door
) -> None:
    look = call("read_file", path="css/site.css", first_line=None, last_line=None)
    brain = model.brain = talk(look, look, look, RED)
    open_drafter(door, tool_rounds=2).draft(build_request())
    assert ":root {" in brain.told_as_text(3)
    assert "You have looked enough" in brain.told_as_text(4)


def test_looks_end_where_their_answers_fill_their_room(
    model: ModelStandIn, open_drafter: OpenDrafter
) -> None:
    look = call("read_file", path="css/site.css", first_line=None, last_line=None)
    brain = model.brain = talk(call_all(look, look, look), RED)
    open_drafter(WIRES["anthropic"], tool_tokens=40).draft(build_request())
    told = brain.told(2)
    assert [text.startswith("You have looked enough") for text in told] == [False, True, True]


def test_who_only_looks_is_stopped(model: ModelStandIn, open_drafter: OpenDrafter) -> None:
    brain = model.brain = talk(call("list_files", folder=""))
    with pytest.raises(ModelError) as caught:
        open_drafter(WIRES["openai"], tool_rounds=2, repair_rounds=1).draft(build_request())
    assert (caught.value.code, caught.value.verdict) == ("model.no_edit", Verdict.BUG)
    assert len(brain.heard) == 2 + 2 + 1


def test_without_rounds_no_look_is_offered(model: ModelStandIn, open_drafter: OpenDrafter) -> None:
    brain = model.brain = talk(RED)
    open_drafter(WIRES["anthropic"], tool_rounds=0).draft(build_request())
    assert list(brain.heard[0].tools) == ["submit_edits", "give_up"]
    assert "read_file" not in brain.heard[0].system


@both_wires
def test_who_gives_up_tells_the_author_why(
    model: ModelStandIn, open_drafter: OpenDrafter, door: Door
) -> None:
    model.brain = talk(call("give_up", reason="There are no buttons; name a page."))
    with pytest.raises(RequestError, match=r"There are no buttons; name a page\.") as caught:
        open_drafter(door).draft(build_request())
    assert caught.value.code == "model.intent_not_understood"
    assert caught.value.verdict is Verdict.USER
    assert caught.value.details["calls"][0]["ok"] is True


@pytest.mark.parametrize("arguments", ["{}", "[1]", '{"reason": 3', "null"])
def test_a_reason_that_cannot_be_read_is_no_obstacle(
    model: ModelStandIn, open_drafter: OpenDrafter, arguments: str
) -> None:
    model.brain = talk(ScriptedReply(calls=(PlainCall("give_up", arguments),)))
    with pytest.raises(RequestError, match="found no way"):
        open_drafter(WIRES["openai"]).draft(build_request())


@both_wires
def test_a_model_that_declines_is_not_asked_again(
    model: ModelStandIn, open_drafter: OpenDrafter, door: Door
) -> None:
    brain = model.brain = talk(ScriptedReply(text="I may not.", stop="refused"))
    with pytest.raises(ModelError) as caught:
        open_drafter(door).draft(build_request())
    assert (caught.value.code, caught.value.verdict) == ("model.declined", Verdict.USER)
    assert len(brain.heard) == 1


@pytest.mark.parametrize(
    ("variants", "temperatures"),
    [(1, [0.2]), (2, [0.2, 0.9]), (3, [0.2, 0.55, 0.9])],
)
def test_later_variants_are_drafted_more_freely(
    model: ModelStandIn, open_drafter: OpenDrafter, variants: int, temperatures: list[float]
) -> None:
    model.brain = talk(RED)
    drafter = open_drafter(WIRES["anthropic"])
    for number in range(1, variants + 1):
        drafter.draft(build_request(variant=number, variants=variants))
    assert [one.temperature for one in model.calls.calls] == temperatures


def test_several_kinds_of_edits_come_in_one_call(
    model: ModelStandIn, open_drafter: OpenDrafter
) -> None:
    model.brain = talk(
        submit(
            RED_EDIT,
            {"action": "create", "path": "css/red.css", "content": ".red {}\n"},
            {"action": "delete", "path": "docs/guide.md"},
            {"action": "rename", "path": "src/app.js", "new_path": "src/shop.js"},
        )
    )
    draft = open_drafter(WIRES["openai"]).draft(build_request())
    assert [(str(one.kind), one.path) for one in draft.patch.changes] == [
        ("add", "css/red.css"),
        ("edit", "css/site.css"),
        ("delete", "docs/guide.md"),
        ("rename", "src/shop.js"),
    ]


def test_a_summary_is_no_longer_than_a_summary(
    model: ModelStandIn, open_drafter: OpenDrafter
) -> None:
    model.brain = talk(submit(RED_EDIT, summary="red " * 1000))
    assert len(open_drafter(WIRES["openai"]).draft(build_request()).summary) == 1500


def test_edits_are_kept_as_they_were_written(
    model: ModelStandIn, open_drafter: OpenDrafter
) -> None:
    model.brain = talk(RED)
    draft = open_drafter(WIRES["anthropic"]).draft(build_request())
    assert json.loads(draft.edits) == json.loads(RED.calls[0].arguments)
    assert build_request().apply(draft.edits, draft.edit_format).changes == draft.patch.changes
