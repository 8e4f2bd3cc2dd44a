"""`python -m shared.patching`: a line in, a line out."""

import base64
import io
import json
from typing import Any

import pytest

from shared.patching.__main__ import RULES, run

DIFF = "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"


def ask(*orders: object, rules: str = "engine") -> list[dict[str, Any]]:
    lines = [order if isinstance(order, str | bytes) else json.dumps(order) for order in orders]
    out = io.StringIO()
    run(lines, out, RULES[rules])
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_an_edit_is_answered_with_files_diff_hunks_and_statistics() -> None:
    [answer] = ask({"files": {"f": "a\nb\n", "g": "x\n"}, "edits": DIFF, "format": "auto"})
    assert answer == {
        "files": {"f": "a\nc\n"},
        "diff": "diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n",
        "hunks": [{"path": "f", "rung": "exact"}],
        "statistics": {"files_changed": 1, "lines_added": 1, "lines_deleted": 1},
    }


@pytest.mark.parametrize(
    "order",
    [
        pytest.param("{not json", id="no-json"),
        pytest.param("[1]", id="no-object"),
        pytest.param({"edits": DIFF}, id="no-files"),
        pytest.param({"files": ["f"], "edits": DIFF}, id="files-are-a-list"),
        pytest.param({"files": {"f": 1}, "edits": DIFF}, id="content-is-a-number"),
        pytest.param({"files": {"f": {"base64": "?"}}, "edits": DIFF}, id="no-base64"),
        pytest.param({"files": {"f": {"base64": "\u00e9"}}, "edits": DIFF}, id="no-ascii"),
        pytest.param({"files": {"\ud800": ""}, "edits": DIFF}, id="half-a-character"),
        pytest.param(b'{"files": {"f": "\xff"}}', id="no-utf-8"),
        pytest.param({"files": {"f": ""}, "edits": DIFF, "format": "x"}, id="unknown-format"),
        pytest.param({"files": {"f": ""}}, id="no-edits"),
    ],
)
def test_a_line_that_cannot_be_read_is_answered_and_the_next_one_too(order: object) -> None:
    broken, sound = ask(order, {"files": {"f": "a\nb\n"}, "edits": DIFF})
    assert broken["error"]["code"] == "patch.unreadable"
    assert sound["files"] == {"f": "a\nc\n"}


def test_blank_lines_are_passed_over() -> None:
    assert ask("", "  \n") == []


def test_a_refusal_names_code_path_and_report() -> None:
    [answer] = ask({"files": {"f": "a\nx\n"}, "edits": DIFF.replace(" a\n", " q\n")})
    error = answer["error"]
    assert (error["code"], error["path"]) == ("patch.context_not_found", "f")
    assert "    q\n    b" in error["report"]


def test_bytes_that_are_no_text_travel_as_base64() -> None:
    encoded = base64.b64encode(b"\xe4\nb\n").decode()
    edits = {"edits": [{"action": "replace", "path": "f", "search": "b", "replace": "c"}]}
    [answer] = ask({"files": {"f": {"base64": encoded}}, "edits": edits})
    assert base64.b64decode(answer["files"]["f"]["base64"]) == b"\xe4\nc\n"
    assert "\\xe4" in answer["diff"]


def test_files_that_are_gone_are_null() -> None:
    edits = "*** Begin Patch\n*** Delete File: f\n*** Update File: g\n*** Move to: h\n"
    files = {"f": "a\n", "g": "b\n"}
    [answer] = ask({"files": files, "edits": edits + "*** End Patch\n"})
    assert answer["files"] == {"f": None, "g": None, "h": "b\n"}


def test_an_edit_for_a_base_is_merged_into_the_files() -> None:
    order = {"files": {"f": "0\na\nb\n"}, "base": {"f": "a\nb\n"}, "edits": DIFF}
    [answer] = ask(order)
    assert answer["files"] == {"f": "0\na\nc\n"}


def test_the_rules_of_a_job_protect_files() -> None:
    order = {"files": {}, "edits": "--- /dev/null\n+++ b/go.sum\n@@ -0,0 +1 @@\n+x\n"}
    [free], [bound] = ask(order), ask(order, rules="job")
    assert free["files"] == {"go.sum": "x\n"}
    assert bound["error"]["code"] == "patch.protected"


@pytest.mark.parametrize(
    ("name", "edits"),
    [
        ("editblock", "f\n<<<<<<< SEARCH\nb\n=======\nc\n>>>>>>> REPLACE\n"),
        ("udiff", DIFF),
        ("apply_patch", "*** Begin Patch\n*** Update File: f\n@@\n-b\n+c\n*** End Patch\n"),
        ("whole", "f\n```\na\nc\n```\n"),
        ("tool", '{"path": "f", "old_string": "b", "new_string": "c"}'),
    ],
)
def test_a_format_goes_by_the_names_that_others_give_it_and_is_recognised(
    name: str, edits: str
) -> None:
    named, recognised = ask(
        *({"files": {"f": "a\nb\n"}, "edits": edits, "format": one} for one in (name, "auto"))
    )
    assert named["files"] == recognised["files"] == {"f": "a\nc\n"}
