"""SEARCH/REPLACE blocks as they are written in the wild, each with what becomes of the file."""

import pytest

from shared.patching.errors import PatchCode
from shared.patching.script import EditFormat
from tests.unit.patching.outcome import Outcome, apply_text

MALFORMED = PatchCode.UNREADABLE


def block(
    search: str,
    replace: str,
    *,
    head: str = "<<<<<<< SEARCH",
    divider: str = "=======",
    tail: str = ">>>>>>> REPLACE",
) -> str:
    return f"{head}\n{search}{divider}\n{replace}{tail}\n"


def dashed(search: str, replace: str) -> str:
    return block(search, replace, head="------- SEARCH", tail="+++++++ REPLACE")


def outcome(files: dict[str, str], edits: str) -> Outcome:
    return apply_text(files, edits, EditFormat.SEARCH_REPLACE)


@pytest.mark.parametrize(
    ("above", "files", "path"),
    [
        pytest.param("a.txt\n", {"a.txt": "1\n", "b": ""}, "a.txt", id="alone-on-its-line"),
        pytest.param("a.txt\n```text\n", {"a.txt": "1\n", "b": ""}, "a.txt", id="above-the-fence"),
        pytest.param("```text\na.txt\n", {"a.txt": "1\n", "b": ""}, "a.txt", id="in-the-fence"),
        pytest.param(
            "```py\na.txt\n```\n```py\n", {"a.txt": "1\n", "b": ""}, "a.txt", id="fence-of-its-own"
        ),
        pytest.param("```py:src/a.py\n", {"src/a.py": "1\n", "b": ""}, "src/a.py", id="info"),
        pytest.param("### `a.txt`:\n\n", {"a.txt": "1\n", "b": ""}, "a.txt", id="heading-in-ticks"),
        pytest.param("**a.txt**\n", {"a.txt": "1\n", "b": ""}, "a.txt", id="bold"),
        pytest.param("# a.txt\n```\n", {"a.txt": "1\n", "b": ""}, "a.txt", id="comment"),
        pytest.param("File: a.txt\n", {"a.txt": "1\n", "b": ""}, "a.txt", id="labelled"),
        pytest.param("- `a.txt`\n", {"a.txt": "1\n", "b": ""}, "a.txt", id="item-of-a-list"),
        pytest.param('"a.txt"\n', {"a.txt": "1\n", "b": ""}, "a.txt", id="in-quotes"),
        pytest.param("a.txt\n<source>\n", {"a.txt": "1\n", "b": ""}, "a.txt", id="tag-as-a-fence"),
        pytest.param("./a.txt\n", {"a.txt": "1\n", "b": ""}, "a.txt", id="dot-slash"),
        pytest.param("d\\a.txt\n", {"d/a.txt": "1\n", "b": ""}, "d/a.txt", id="backslash"),
        pytest.param("a.txt\n", {"d/a.txt": "1\n", "b": ""}, "d/a.txt", id="only-one-such-name"),
        pytest.param("", {"a.txt": "1\n"}, "a.txt", id="only-one-file"),
    ],
)
def test_the_path_above_a_block_is_found(above: str, files: dict[str, str], path: str) -> None:
    assert outcome(files, above + block("1\n", "2\n")) == {path: "2\n"}


@pytest.mark.parametrize(
    ("above", "files", "code"),
    [
        pytest.param("", {"a": "1\n", "b": "1\n"}, MALFORMED, id="none-of-two"),
        pytest.param(
            "a.txt\n",
            {"x/a.txt": "1\n", "y/a.txt": "1\n"},
            PatchCode.FILE_NOT_FOUND,
            id="two-such-names",
        ),
        pytest.param("/a.txt\n", {"a.txt": "1\n"}, PatchCode.PATH_REFUSED, id="absolute"),
        pytest.param("../a.txt\n", {"a.txt": "1\n"}, PatchCode.PATH_REFUSED, id="climbs"),
    ],
)
def test_a_path_is_never_guessed(above: str, files: dict[str, str], code: PatchCode) -> None:
    assert outcome(files, above + block("1\n", "2\n")) == code


@pytest.mark.parametrize(
    "head",
    [
        "<<< SEARCH",
        "<<<<< SEARCH",
        "<<<<<<< ORIGINAL",
        "<<<<<<<<< SEARCH",
        "<<<<<<< SEARCH>",
        "------- SEARCH",
    ],
)
@pytest.mark.parametrize("divider", ["=====", "=======", "=========", "=======  "])
@pytest.mark.parametrize("tail", [">>>>>>> REPLACE", ">>>>> REPLACE", "+++++++ REPLACE"])
def test_marks_of_other_lengths_are_read(head: str, divider: str, tail: str) -> None:
    edits = block("content\n", "new\n", head=head, divider=divider, tail=tail)
    assert outcome({"f": "a\ncontent\nb"}, edits) == {"f": "a\nnew\nb"}


@pytest.mark.parametrize(
    "edits",
    [
        pytest.param("<<-- SEARCH\n1\n=======\n2\n+++++++ REPLACE\n", id="mixed-head"),
        pytest.param("-- SEARCH\n1\n=======\n2\n+++++++ REPLACE\n", id="short-head"),
        pytest.param("-------SEARCH\n1\n=======\n2\n+++++++ REPLACE\n", id="head-without-blank"),
        pytest.param(block("1\n", "2\n", head="<<<<<<< SEARCH>>"), id="head-with-two-brackets"),
        pytest.param(block("1\n", "2\n", head="<<<<<<< SEARCH  >"), id="head-with-a-far-bracket"),
        pytest.param("=======\n2\n>>>>>>> REPLACE\n", id="no-head"),
        pytest.param("<<<<<<< SEARCH\n1\n>>>>>>> REPLACE\n", id="no-divider"),
        pytest.param("<<<<<<< SEARCH\n1\n=======\n2\n", id="no-tail"),
        pytest.param("<<<<<<< SEARCH\n1\n>>>>>>>\n", id="tail-of-a-conflict"),
        pytest.param("<<<<<<< SEARCH\n1\n=======\n=======\n>>>>>>> REPLACE\n", id="two-dividers"),
        pytest.param("=======\n" + block("1\n", "2\n"), id="divider-above-the-head"),
        pytest.param("------- SEARCH\n1\n------- =======\n2\n+++++++ REPLACE\n", id="odd-divider"),
        pytest.param(">>>>>>> SEARCH\n=======\n2\n<<<<<<< REPLACE\n", id="upside-down"),
        pytest.param(block("1\n<<<<<<< HEAD\n", "2\n"), id="conflict-marker-not-escaped"),
        pytest.param(block("1\n", ":start_line:1\n2\n"), id="hint-among-the-new-lines"),
        pytest.param(block("1\n", "2\n  :end_line:1\n"), id="hint-among-the-new-lines-indented"),
        pytest.param("just prose", id="no-block"),
    ],
)
def test_a_malformed_block_is_refused(edits: str) -> None:
    assert outcome({"f": "1\n"}, edits) == MALFORMED


@pytest.mark.parametrize(
    "hint",
    [
        pytest.param(":start_line:4\n-------\n", id="plain"),
        pytest.param(":start_line: [4]\n-------\n", id="in-brackets"),
        pytest.param(":start_line:4\n:end_line:4\n-------\n", id="with-an-end"),
        pytest.param(":start_line:4   \n-------   \n", id="trailing-blanks"),
        pytest.param(":start_line:4\n", id="without-a-rule"),
    ],
)
def test_a_line_said_on_purpose_decides_between_equal_places(hint: str) -> None:
    files = {"f": "x\nsame\ny\nsame\nz\n"}
    assert outcome(files, block(hint + "same\n", "new\n")) == {"f": "x\nsame\ny\nnew\nz\n"}


@pytest.mark.parametrize(
    ("line", "place"),
    [(8, 9), (11, 9), (7, 9), (12, None), (5, None), (16, None)],
)
def test_a_line_miscounted_by_one_or_two_decides_where_others_are_far(
    line: int, place: int | None
) -> None:
    before = [f"line {at}" for at in range(1, 31)]
    before[9 - 1] = before[22 - 1] = "same"
    after = list(before)
    after[(place or 0) - 1] = "new"
    edits = block(f":start_line:{line}\n-------\nsame\n", "new\n")
    told = {"f": "\n".join(after)} if place else PatchCode.AMBIGUOUS
    assert outcome({"f": "\n".join(before)}, edits) == told


@pytest.mark.parametrize(
    ("before", "edits", "after"),
    [
        pytest.param(
            "1\n2\n3\n4\n",
            block("4\n", "d\n") + block("2\n", "b\n"),
            "1\nb\n3\nd\n",
            id="out-of-order",
        ),
        pytest.param("1\n2\n3", block("2\n", ""), "1\n3", id="deletion"),
        pytest.param("1\n2", block("2\n", ""), "1\n", id="deletion-of-the-last-line"),
        pytest.param("1\r\n2\r\n", block("2\n", "b\n"), "1\r\nb\r\n", id="crlf-file"),
        pytest.param("1\n2\n", block("2\n", "b\n").replace("\n", "\r\n"), "1\nb\n", id="crlf-edit"),
        pytest.param("a $^.* b\n", block("$^.*\n", "x\n"), "a x b\n", id="part-of-a-line"),
        pytest.param("1\n2\n", block("1 | 1\n2 | 2\n", "1 | 1\n2 | b\n"), "1\nb\n", id="numbered"),
        pytest.param(
            "    1\n    2\n",
            block("1\n2\n", "1\n  b\n"),
            "    1\n      b\n",
            id="indentation-left-out",
        ),
        pytest.param(
            "\ta\n\t\tb\n",
            block("    a\n        b\n", "    a\n        c\n        d\n"),
            "\ta\n\t\tc\n\t\td\n",
            id="blanks-for-tabs",
        ),
        pytest.param(
            "    a\n        b\n",
            block("\ta\n\t\tb\n", "\ta\n\t\tc\n"),
            "    a\n        c\n",
            id="tabs-for-blanks",
        ),
        pytest.param("1\n2\n", block("8 | 1\n9 | 2\n", "1\nb\n"), "1\nb\n", id="search-numbered"),
        pytest.param(
            "a < b && c\n",
            block("a < b && c\n", "a > b\n")
            .replace("&", "&amp;")
            .replace("<", "&lt;")
            .replace(">", "&gt;"),
            "a > b\n",
            id="html",
        ),
        pytest.param(
            "f(a, b) {\n  return a + b;\n}\n",
            block("f(a,   b)  {\n  return  a + b;\n}\n", "f(a, b) {\n  return a + b + 1;\n}\n"),
            "f(a, b) {\n  return a + b + 1;\n}\n",
            id="blanks-inside-lines",
        ),
        pytest.param("1\n2\n", block("\n\n1\n", "x\n"), "x\n2\n", id="blank-line-above-the-rest"),
        pytest.param("1\n2\n", block("1\n\n", "x\n\n"), "x\n2\n", id="blank-line-below-the-rest"),
        pytest.param("a\n=======\nb\n", block("a\n\\=======\nb\n", "c\n"), "c\n", id="escaped"),
        pytest.param("-------\n1\n", block("\\-------\n1\n", "2\n"), "2\n", id="escaped-rule"),
        pytest.param(
            "def f():\n    a\n    b\n    return 1\n",
            block("def f():\n    ...\n    return 1\n", "def g():\n    ...\n    return 2\n"),
            "def g():\n    a\n    b\n    return 2\n",
            id="dots",
        ),
        pytest.param(
            "a\nx\na\nx\n", block("a\nx\n", "b\n") * 2, "b\nb\n", id="as-often-as-it-stands"
        ),
        pytest.param("", dashed("", "new\n"), "new\n", id="empty-file"),
        pytest.param("old\n", dashed("", "new\n"), "new\n", id="dashes-replace-the-content"),
        pytest.param("old\n", block("", "new\n"), "old\nnew\n", id="angles-append"),
        pytest.param("1\n2", block("2\n", "b\n"), "1\nb", id="no-final-newline"),
        pytest.param(
            "a \u201cb\u201d\n",
            block('a "b"\n', 'a "b"\nc\n'),
            "a \u201cb\u201d\nc\n",
            id="look-alikes-stay",
        ),
        pytest.param("x \u2013 y\n", block("x - y\n", "z\n"), "z\n", id="look-alikes-replaced"),
    ],
)
def test_a_block_is_applied(before: str, edits: str, after: str) -> None:
    assert outcome({"f": before}, edits) == {"f": after}


@pytest.mark.parametrize(
    ("before", "edits", "code"),
    [
        pytest.param("a\nb\na\n", block("a\n", "x\n"), PatchCode.AMBIGUOUS, id="twice"),
        pytest.param(
            "a\nb\na\nb\na\n",
            block("a\n", "x\n") * 2,
            PatchCode.AMBIGUOUS,
            id="less-often-than-it-stands",
        ),
        pytest.param("a\n", block("zz\n", "x\n"), PatchCode.CONTEXT_NOT_FOUND, id="not-there"),
        pytest.param("a\n", block("a\n", "a\n"), PatchCode.NOTHING_CHANGED, id="nothing"),
        pytest.param(
            "a\n",
            block("a\n", "\\<<<<<<< x\n\\=======\n\\>>>>>>> y\n"),
            PatchCode.CONFLICT_MARKERS,
            id="conflict-markers",
        ),
        pytest.param(
            "let results = 1\n",
            block("let result = 1\n", "let data = 1\n"),
            PatchCode.CONTEXT_NOT_FOUND,
            id="other-word-where-a-word-is-replaced",
        ),
    ],
)
def test_a_block_that_does_not_fit_is_refused(before: str, edits: str, code: PatchCode) -> None:
    assert outcome({"f": before}, edits) == code


def test_new_lines_in_tabs_follow_a_file_in_blanks_beside_a_line_quoted_in_blanks() -> None:
    before = "    a\n        b\n    c\n"
    edits = block("\ta\n        b\n\tc\n", "\ta\n\t\tnew\n\tc\n")
    assert outcome({"f": before}, edits) == {"f": before.replace("b", "new")}


def test_a_block_without_a_path_goes_on_with_the_last_one() -> None:
    edits = "a.txt\n" + block("1\n", "x\n") + "\n...\n\n" + block("2\n", "y\n")
    assert outcome({"a.txt": "1\n2\n", "b.txt": "2\n"}, edits) == {"a.txt": "x\ny\n"}


def test_an_empty_search_creates_a_file_beside_the_others() -> None:
    edits = "d/new.txt\n" + block("", "three\n") + "\nd/old.txt\n" + block("1\n", "2\n")
    files = {"d/old.txt": "1\n"}
    assert outcome(files, edits) == {"d/new.txt": "three\n", "d/old.txt": "2\n"}
