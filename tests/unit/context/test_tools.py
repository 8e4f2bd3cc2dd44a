from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.context.tools import MAX_ANSWER_CHARS, MAX_FOUND, MAX_LINES, SnapshotTools

FILES = {
    "README.md": b"# Shop\n",
    "src/cart.py": b"class Cart:\n    def total(self): ...\n",
    "src/web/page.html": b"<b>Total (net)</b>\n",
    "src/logo.png": b"\x89PNG\0",
    "long.txt": b"".join(b"line %d\n" % at for at in range(1, 2001)),
}
TOOLS = SnapshotTools(FILES)


def read(path: str, first: int | None = None, last: int | None = None) -> str:
    return TOOLS.run("read_file", {"path": path, "first_line": first, "last_line": last})


def test_schemas_are_strict() -> None:
    for spec in TOOLS.specs():
        assert spec.schema["additionalProperties"] is False
        assert spec.schema["required"] == list(spec.schema["properties"])


def test_a_folder_lists_its_files_and_how_many_its_folders_hold() -> None:
    assert TOOLS.run("list_files", {"folder": "src/"}) == "src/cart.py\nsrc/web/ (1 files)"
    assert TOOLS.run("list_files", {"folder": ""}).splitlines()[0] == "README.md"


def test_a_search_takes_its_text_literally_and_ignores_case() -> None:
    assert TOOLS.run("search", {"text": "TOTAL (", "folder": ""}) == (
        "src/web/page.html:1: <b>Total (net)</b>"
    )
    assert TOOLS.run("search", {"text": ".*", "folder": ""}) == "Nothing found."


def test_a_search_stops_where_it_has_enough() -> None:
    files = {f"{at}.txt": b"again\n" * 20 for at in range(30)}
    found = SnapshotTools(files).run("search", {"text": "again", "folder": ""}).splitlines()
    assert len(found) == MAX_FOUND + 1
    assert "stopped" in found[-1]


def test_lines_come_with_their_numbers_and_the_way_on() -> None:
    assert read("src/cart.py", 2, 2) == "    2     def total(self): ..."
    shown = read("long.txt", 3).splitlines()
    assert shown[0] == "    3 line 3"
    assert len(shown) == MAX_LINES + 1
    assert shown[-1] == f"… lines {MAX_LINES + 3} to 2000 follow"


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("run_shell", {}, "no such tool"),
        ("search", ["text"], "must be an object"),
        ("search", {"text": "x", "folder": ""}, "2 to 200"),
        ("search", {"text": None, "folder": ""}, "`text` must be"),
        ("list_files", {"folder": "nowhere"}, "no such folder"),
        ("read_file", {"path": "cart.py"}, "Alike: src/cart.py"),
        ("read_file", {"path": "src/cart.py", "first_line": 9, "last_line": None}, "lines 1 to 2"),
        ("read_file", {"path": "src/cart.py", "first_line": True}, "whole number"),
        ("read_file", {"path": "src/logo.png"}, "may not be shown"),
        ("read_file", {"path": "../../etc/passwd"}, "no such file"),
    ],
)
def test_a_wrong_call_is_told_what_is_wrong(name: str, arguments: object, said: str) -> None:
    assert said in TOOLS.run(name, arguments)


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.text(min_size=1, max_size=8), st.binary(max_size=200), max_size=4),
    st.sampled_from(["list_files", "search", "read_file", "other"]),
    st.dictionaries(
        st.sampled_from(["path", "text", "folder", "first_line", "last_line"]), any_json
    ),
)
def test_no_call_raises_or_answers_at_length(
    files: dict[str, bytes], name: str, arguments: dict[str, Any]
) -> None:
    assert len(SnapshotTools(files).run(name, arguments)) <= MAX_ANSWER_CHARS
