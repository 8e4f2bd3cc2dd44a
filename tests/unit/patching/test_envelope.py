"""`*** Begin Patch` envelopes as they are written in the wild, with what becomes of the file."""

import pytest

from shared.patching.errors import PatchCode
from shared.patching.script import EditFormat
from tests.unit.patching.outcome import Outcome, apply_text

MALFORMED = PatchCode.UNREADABLE
SEARCHES = "class A\n    def run():\n        pass\nclass B\n    def run():\n        pass\n"


def envelope(body: str) -> str:
    return f"*** Begin Patch\n{body}*** End Patch\n"


def update(body: str) -> str:
    return envelope("*** Update File: f\n" + body)


def outcome(files: dict[str, str], edits: str) -> Outcome:
    return apply_text(files, edits, EditFormat.ENVELOPE)


@pytest.mark.parametrize(
    ("before", "body", "after"),
    [
        pytest.param("1\n2\n", "@@\n-2\n+b\n", "1\nb\n", id="replace"),
        pytest.param("1\n2\n3\n4\n", "@@\n-2\n+b\n@@\n-4\n+d\n", "1\nb\n3\nd\n", id="two-hunks"),
        pytest.param("1\n2\n", " 1\n+x\n", "1\nx\n2\n", id="first-hunk-without-a-mark"),
        pytest.param("1\n2\n3\n", "@@\n 1\n-2\n 3\n", "1\n3\n", id="deletion"),
        pytest.param("1\n2\n", "@@\n 1\n-2\n+b\n\n", "1\nb\n", id="blank-line-at-the-end"),
        pytest.param("1\n2\n", "@@\n-1\n-2\n+2\n+2\n+1\n", "2\n2\n1\n", id="order-of-like-lines"),
        pytest.param("a\n\nb\n", "@@\n a\n\n-b\n+c\n", "a\n\nc\n", id="blank-context-cut-short"),
        pytest.param(
            SEARCHES,
            "@@ class B\n@@     def run():\n-        pass\n+        return 1\n",
            SEARCHES[:-5] + "return 1\n",
            id="chain-of-anchors",
        ),
        pytest.param(
            SEARCHES,
            "@@ class B\n-        pass\n+        return 1\n",
            SEARCHES[:-5] + "return 1\n",
            id="anchor",
        ),
        pytest.param("a\nb\n", "@@ nope\n-b\n+B\n", "a\nB\n", id="anchor-not-there-nor-needed"),
        pytest.param("a\nb\n", "@@ a\n@@\n-b\n+B\n", "a\nB\n", id="bare-mark-below-an-anchor"),
        pytest.param("def f():\n    1\n", "@@ def f():\n+    0\n", "def f():\n    0\n    1\n",
                     id="insertion-below-an-anchor"),
        pytest.param("1\n2\n", "@@\n+3\n*** End of File\n", "1\n2\n3\n", id="insertion-at-the-end"),
        pytest.param("1\n2\n", "@@\n+3\n", "1\n2\n3\n", id="insertion-without-a-place"),
        pytest.param("1\n2\n3\n", "@@\n+4\n@@\n 1\n-2\n-3\n+b\n", "1\nb\n4\n",
                     id="insertion-without-a-place-before-another-hunk"),
        pytest.param("f {\n  1\n}\n", "@@\nf {\n-  1\n+  2\n}\n", "f {\n  2\n}\n",
                     id="context-without-a-mark"),
        pytest.param("1\n2", "@@\n-2\n", "1\n", id="deletion-of-a-last-line-without-newline"),
        pytest.param("", "@@\n+1\n+2\n", "1\n2\n", id="insertion-into-an-empty-file"),
        pytest.param("a\nb\na\n", "@@\n-a\n+X\n*** End of File\n", "a\nb\nX\n", id="the-last-one"),
        pytest.param("a\nb\na\nb\n", "@@\n a\n-b\n+X\n@@\n a\n-b\n+Y\n", "a\nX\na\nY\n",
                     id="as-many-hunks-as-places"),
        pytest.param("a\nb\nc\na\nd\n", "@@\n-c\n+C\n@@\n-a\n+A\n", "a\nb\nC\nA\nd\n",
                     id="order-decides"),
        pytest.param("a\nx\nb\nx\nc\n", "@@\n-x\n+X\n@@\n-b\n+B\n", "a\nX\nB\nx\nc\n",
                     id="a-hunk-waits-for-the-next"),
        pytest.param("1\r\n2\r\n", "@@\n 1\n+\n+x\n 2\n", "1\r\n\r\nx\r\n2\r\n", id="crlf"),
        pytest.param("1\r\n2\n3\r\n4\n", "@@\n 1\n 2\n-3\n+c\n 4\n", "1\r\n2\nc\r\n4\n",
                     id="mixed"),
        pytest.param("s\r\ns\n", "@@\n-s\n s\n", "s\n", id="each-line-keeps-its-own-ending"),
        pytest.param("1\n2", "@@\n-2\n+b\n+c\n", "1\nb\nc",
                     id="no-final-newline-stays"),
        pytest.param("x \u2013 y\n", "@@\n-x - y\n+z\n", "z\n", id="look-alikes"),
        pytest.param("  1  \n", "@@\n-1\n+2\n", "  2\n", id="blanks-around"),
    ],
)  # fmt: skip
def test_an_update_is_applied(before: str, body: str, after: str) -> None:
    assert outcome({"f": before}, update(body)) == {"f": after}


@pytest.mark.parametrize(
    ("before", "body", "code"),
    [
        pytest.param("1\n", "", MALFORMED, id="no-hunk"),
        pytest.param("1\n", "@@\n", MALFORMED, id="hunk-without-lines"),
        pytest.param("1\n", "@@\n*** End of File\n", MALFORMED, id="only-the-end"),
        pytest.param("1\n", "@@\nbad\n", MALFORMED, id="line-without-a-mark"),
        pytest.param("1\n", "@@\n*** Nonsense\n", MALFORMED, id="header-nobody-knows"),
        pytest.param("1\n2\n", "@@\n-z\n+y\n", PatchCode.CONTEXT_NOT_FOUND, id="not-there"),
        pytest.param("a\nb\na\n", "@@\n-a\n+X\n", PatchCode.AMBIGUOUS, id="twice"),
        pytest.param("a\na\na\n", "@@\n-a\n+X\n@@\n-a\n+Y\n", PatchCode.AMBIGUOUS,
                     id="more-places-than-hunks"),
        pytest.param("1\n2\n", "@@\n1\n+x\n3\n", PatchCode.CONTEXT_NOT_FOUND,
                     id="context-without-a-mark-that-is-not-there"),
    ],
)  # fmt: skip
def test_an_update_that_does_not_fit_is_refused(before: str, body: str, code: PatchCode) -> None:
    assert outcome({"f": before}, update(body)) == code


@pytest.mark.parametrize(
    ("body", "after"),
    [
        pytest.param("*** Add File: d/n\n+1\n+\n", {"d/n": "1\n\n"}, id="add"),
        pytest.param("*** Add File: n\n", {"n": ""}, id="add-an-empty-file"),
        pytest.param("*** Delete File: f\n", {"f": None}, id="delete"),
        pytest.param(
            "*** Update File: f\n*** Move to: d/g\n", {"f": None, "d/g": "1\n"}, id="move"
        ),
        pytest.param(
            "*** Update File: f\n*** Move to: g\n@@\n-1\n+2\n",
            {"f": None, "g": "2\n"},
            id="move-and-edit",
        ),
        pytest.param(
            "*** Add File: n\n+x\n*** Delete File: g\n*** Update File: f\n@@\n-1\n+2\n",
            {"n": "x\n", "g": None, "f": "2\n"},
            id="all-in-one",
        ),
        pytest.param("  *** Update File: f\n@@\n-1\n+2\n", {"f": "2\n"}, id="header-indented"),
        pytest.param("*** Add File: f\n+x\n", PatchCode.FILE_EXISTS, id="add-onto-a-file"),
        pytest.param(
            "*** Update File: f\n*** Move to: g\n@@\n-1\n+2\n*** Add File: f\n+x\n",
            {"f": "x\n", "g": "2\n"},
            id="add-where-a-file-was-moved-away",
        ),
        pytest.param("*** Delete File: z\n", PatchCode.FILE_NOT_FOUND, id="delete-nothing"),
        pytest.param("*** Delete File: d\n", PatchCode.FILE_NOT_FOUND, id="delete-a-folder"),
        pytest.param("*** Update File: z\n@@\n-1\n+2\n", PatchCode.FILE_NOT_FOUND, id="no-file"),
        pytest.param("*** Add File: n\nx\n", MALFORMED, id="added-line-without-a-plus"),
        pytest.param("*** Frobnicate File: f\n", MALFORMED, id="unknown-header"),
        pytest.param("*** Update File: \n@@\n-1\n+2\n", MALFORMED, id="no-path"),
        pytest.param("", PatchCode.NO_EDITS, id="nothing"),
        pytest.param("*** Update File: /f\n@@\n-1\n+2\n", PatchCode.PATH_REFUSED, id="absolute"),
        pytest.param(
            "*** Add File: n\n+x\n*** Update File: z\n@@\n-1\n+2\n",
            PatchCode.FILE_NOT_FOUND,
            id="all-or-nothing",
        ),
    ],
)
def test_sections_of_an_envelope(body: str, after: Outcome) -> None:
    files = {"f": "1\n", "g": "old\n", "d/x": "x\n"}
    if isinstance(after, dict) and ("g" in after and after["g"] is not None):
        del files["g"]
    assert outcome(files, envelope(body)) == after


def test_a_move_onto_a_file_is_refused() -> None:
    edits = envelope("*** Update File: f\n*** Move to: g\n@@\n-1\n+2\n")
    assert outcome({"f": "1\n", "g": "x\n"}, edits) == PatchCode.FILE_EXISTS


@pytest.mark.parametrize(
    "edits",
    [
        pytest.param("<<EOF\n" + update("@@\n-1\n+2\n") + "EOF\n", id="heredoc"),
        pytest.param("<<'EOF'\n" + update("@@\n-1\n+2\n") + "EOF\n", id="heredoc-quoted"),
        pytest.param("```\n" + update("@@\n-1\n+2\n") + "```\n", id="fenced"),
        pytest.param("Here it is:\n\n" + update("@@\n-1\n+2\n") + "\nDone.\n", id="prose-around"),
        pytest.param(
            "*** Begin Patch \n*** Update File: f\n@@\n-1\n+2\n *** End Patch", id="padded"
        ),
        pytest.param("*** Update File: f\n@@\n-1\n+2\n", id="no-envelope"),
        pytest.param("*** Update File: f\n@@\n-1\n+2\n*** End Patch\n", id="no-beginning"),
        pytest.param("@@\n-1\n+2\n", id="hunks-alone-for-the-only-file"),
        pytest.param(update("@@\n-1\n+2\n").replace("\n", "\r\n"), id="crlf"),
    ],
)
def test_an_envelope_is_found_in_what_is_around_it(edits: str) -> None:
    assert outcome({"f": "1\n"}, edits) == {"f": "2\n"}


@pytest.mark.parametrize(
    "edits",
    [
        pytest.param("bad", id="prose"),
        pytest.param("*** Begin Patch\nbad\n*** End Patch\n", id="prose-inside"),
        pytest.param("*** Begin Patch\n*** Update File: f\n@@\n-1\n+2\n", id="cut-off"),
    ],
)
def test_half_an_envelope_is_refused(edits: str) -> None:
    assert outcome({"f": "1\n"}, edits) == MALFORMED


def test_an_answer_in_crlf_decides_only_where_a_file_has_no_ending() -> None:
    edits = envelope("*** Add File: n\n+1\n+2\n*** Update File: f\n@@\n-1\n+x\n+y\n")
    after = {"n": "1\r\n2\r\n", "f": "x\ny\n"}
    assert outcome({"f": "1\n"}, edits.replace("\n", "\r\n")) == after
