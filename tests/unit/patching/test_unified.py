"""Unified diffs as they are written in the wild, each with what becomes of the file."""

import pytest

from shared.patching.errors import PatchCode
from shared.patching.script import EditFormat
from tests.unit.patching.outcome import Outcome, apply_text

HUNK = "@@ -1,2 +1,2 @@\n a\n-b\n+c\n"


def outcome(files: dict[str, str], edits: str) -> Outcome:
    return apply_text(files, edits, EditFormat.UNIFIED_DIFF)


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        pytest.param("diff --git a/f b/f\nindex 1..2 100644\n--- a/f\n+++ b/f\n", "f", id="git"),
        pytest.param("--- a/f\n+++ b/f\n", "f", id="git-short"),
        pytest.param("diff --git d/f d/f\n--- d/f\n+++ d/f\n", "d/f", id="git-without-prefix"),
        pytest.param("--- f\n+++ f\n", "f", id="plain"),
        pytest.param("--- f.orig\n+++ f\n", "f", id="old-name-elsewhere"),
        pytest.param("--- f\n+++ f.new\n", "f", id="new-name-elsewhere"),
        pytest.param("--- ./f\n+++ ./f\n", "f", id="dot-slash"),
        pytest.param("--- f\t2024-01-01 00:00:00.0 +0000\n+++ f\t2024-01-02\n", "f",
                     id="dated"),
        pytest.param("--- f 2024-01-01 00:00:00\n+++ f 2024-01-02 00:00:00\n", "f", id="no-tab"),
        pytest.param("Index: f\n=====\n--- f\t(revision 1)\n+++ f\t(working copy)\n", "f",
                     id="svn"),
        pytest.param("Index: f\n=====\n--- f  (revision 1)\n+++ f  (working copy)\n", "f",
                     id="svn-without-tab"),
        pytest.param("diff -r c7f0 f\n--- a/f\tSat Sep 17\n+++ b/f\tSat Sep 17\n", "f", id="hg"),
        pytest.param("--- p.orig/d/f\n+++ p/d/f\n", "d/f", id="two-trees"),
        pytest.param("--- a/e f\t\n+++ b/e f\t\n", "e f", id="blank-in-the-name"),
        pytest.param('--- "a/t\\303\\251"\n+++ "b/t\\303\\251"\n', "t\u00e9", id="quoted-name"),
        pytest.param("From 1 Mon\nSubject: x\n\n---\n f | 2 +-\n\n--- a/f\n+++ b/f\n", "f",
                     id="mail"),
        pytest.param("", "f", id="no-header-for-the-only-file"),
    ],
)  # fmt: skip
def test_headers_name_the_file(headers: str, path: str) -> None:
    files = {path: "a\nb\n"} if not headers else {path: "a\nb\n", "other": "a\nb\n"}
    assert outcome(files, headers + HUNK) == {path: "a\nc\n"}


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        pytest.param("", PatchCode.UNREADABLE, id="no-header-of-two-files"),
        pytest.param("--- x\n+++ y\n", PatchCode.FILE_NOT_FOUND, id="other-names"),
        pytest.param("--- /d/f\n+++ /d/f\n", PatchCode.PATH_REFUSED, id="absolute"),
        pytest.param("--- ../f\n+++ ../f\n", PatchCode.PATH_REFUSED, id="climbs"),
        pytest.param("diff --git a/f b/f\nBinary files a/f and b/f differ\n", PatchCode.BINARY,
                     id="binary"),
        pytest.param("diff --git a/n b/n\nnew file mode 120000\n--- /dev/null\n+++ b/n\n",
                     PatchCode.PATH_REFUSED, id="symlink"),
    ],
)  # fmt: skip
def test_headers_that_name_no_file_are_refused(headers: str, code: PatchCode) -> None:
    assert outcome({"f": "a\nb\n", "d/f": "a\nb\n"}, headers + HUNK) == code


@pytest.mark.parametrize(
    ("before", "hunks", "after"),
    [
        pytest.param("1\n2\n4\n", "@@ -1,3 +1,4 @@\n 1\n 2\n+3\n 4\n", "1\n2\n3\n4\n", id="insert"),
        pytest.param("1\n2\n", "@@ -1,2 +1,3 @@\n 1\n 2\n+3\n", "1\n2\n3\n", id="append"),
        pytest.param("1\n2\n", "@@ -1,2 +1,2 @@\n 1\n+b\n-2\n", "1\nb\n", id="plus-before-minus"),
        pytest.param("1\n2\n", "@@ -9,2 +9,2 @@\n 1\n-2\n+b\n", "1\nb\n", id="wrong-numbers"),
        pytest.param("1\n2\n", "@@ -1,7 +1,9 @@\n 1\n-2\n+b\n", "1\nb\n", id="wrong-counts"),
        pytest.param("1\n2\n", "@@ ... @@\n 1\n-2\n+b\n", "1\nb\n", id="dots-for-numbers"),
        pytest.param("1\n2\n", "@@\n 1\n-2\n+b\n", "1\nb\n", id="no-numbers"),
        pytest.param("1\n2\n", " 1\n-2\n+b\n", "1\nb\n", id="no-hunk-header"),
        pytest.param("1\n2\n", "@@ -1,2 +1,2 @@\n 1\n-2\n+b", "1\nb\n", id="cut-last-newline"),
        pytest.param("1\n\n3\n", "@@ -1,3 +1,3 @@\n 1\n\n-3\n+c\n", "1\n\nc\n", id="blank-trimmed"),
        pytest.param("x\ns\ny\ns\n", "@@ -4 +4 @@\n-s\n+t\n", "x\ns\ny\nt\n", id="numbers-decide"),
        pytest.param("a\n-- x\nb\n", "@@ -1,3 +1,2 @@\n a\n--- x\n b\n", "a\nb\n", id="dashes"),
        pytest.param("a\nb\n", "@@ -1,2 +1,3 @@\n a\n+++ x\n b\n", "a\n++ x\nb\n", id="pluses"),
        pytest.param("1\n2", "@@ -1,2 +1,2 @@\n 1\n-2\n\\ No newline at end of file\n+2\n",
                     "1\n2\n", id="newline-added"),
        pytest.param("1\n2\n", "@@ -1,2 +1,2 @@\n 1\n-2\n+2\n\\ No newline at end of file\n",
                     "1\n2", id="newline-taken"),
        pytest.param("1\n2\n3\n", "@@ -1,3 +0,0 @@\n-1\n-2\n-3\n", "", id="emptied"),
        pytest.param("", "@@ -0,0 +1,2 @@\n+1\n+2\n", "1\n2\n", id="filled"),
        pytest.param("1\r\n2\r\n", "@@ -1,2 +1,2 @@\n 1\n-2\n+b\n", "1\r\nb\r\n", id="lf-diff"),
        pytest.param("1\r\n2\r\n", "@@ -1,2 +1,2 @@\n-1\r\n-2\r\n+1\n+2\n", "1\n2\n",
                     id="endings-changed"),
        pytest.param("1\n2\n", "@@ -1,2 +1,2 @@\n 1\n-2\n+2\r\n", "1\n2\r\n", id="ending-put"),
        pytest.param("1\n2\n", "@@ -1,2 +1,2 @@\n 1\r\n-2\r\n+b\r\n", "1\nb\n", id="crlf-lines"),
        pytest.param("0\n1\r\n2\r\n3\n", "@@ -2,2 +2,3 @@\n-1\n-2\n+a\n+b\n+c\n",
                     "0\na\r\nb\r\nc\r\n3\n", id="mixed-endings-go-on"),
        pytest.param("1\n2", "@@ -1,2 +1,2 @@\n-1\n+a\n 2\n", "a\n2", id="newline-not-spoken-of"),
        pytest.param("1\n2\n", "@@ -2 +2 @@\n-2\n\\ No newline at end of file\n+b\n"
                     "\\ No newline at end of file\n", "1\nb\n", id="newline-not-changed"),
        pytest.param("1\n2\n", "@@ -2,0 +3 @@\n+3\n", "1\n2\n3\n", id="behind-the-last-line"),
        pytest.param("a\u2028b\n1\n", "@@ -1,2 +1,2 @@\n a\u2028b\n-1\n+2\n", "a\u2028b\n2\n",
                     id="unicode-separator"),
        pytest.param("1\n2\n3\n4\n5\n6\n7\n8\n9\n",
                     "@@ -1,2 +1,2 @@\n 1\n-2\n+b\n@@ -8,2 +8,2 @@\n-8\n+h\n 9\n",
                     "1\nb\n3\n4\n5\n6\n7\nh\n9\n", id="two-hunks"),
    ],
)  # fmt: skip
def test_a_hunk_is_applied(before: str, hunks: str, after: str) -> None:
    assert outcome({"f": before}, "--- a/f\n+++ b/f\n" + hunks) == {"f": after}


@pytest.mark.parametrize(
    ("before", "hunks", "code"),
    [
        pytest.param("1\n2\n", "", PatchCode.NO_EDITS, id="no-hunk"),
        pytest.param("x\ny\nz\n", "@@ -1,2 +1,2 @@\n 1\n-2\n+b\n", PatchCode.CONTEXT_NOT_FOUND,
                     id="not-there"),
        pytest.param("s\nx\ns\n", "@@ ... @@\n-s\n+t\n", PatchCode.AMBIGUOUS, id="twice"),
        pytest.param("s\nx\ns\n", "@@ -2 +2 @@\n-s\n+t\n", PatchCode.AMBIGUOUS,
                     id="number-between-two-places"),
        pytest.param("1\n2\n", "@@ -1,0 +2 @@\n+x\n", PatchCode.CONTEXT_NOT_FOUND,
                     id="insertion-by-number-alone"),
    ],
)  # fmt: skip
def test_a_hunk_that_does_not_fit_is_refused(before: str, hunks: str, code: PatchCode) -> None:
    assert outcome({"f": before}, "--- a/f\n+++ b/f\n" + hunks) == code


@pytest.mark.parametrize(
    ("edits", "after"),
    [
        pytest.param("--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+x\n", {"n": "x\n"}, id="create"),
        pytest.param("--- a/n\n+++ b/n\n@@ -0,0 +1 @@\n+x\n", {"n": "x\n"}, id="create-unmarked"),
        pytest.param("diff --git a/n b/n\nnew file mode 100644\n", {"n": ""}, id="create-empty"),
        pytest.param("--- a/f\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-b\n", {"f": None}, id="delete"),
        pytest.param("--- a/f\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-z\n",
                     PatchCode.CONTEXT_NOT_FOUND, id="delete-another-file-than-quoted"),
        pytest.param("--- e\t2024-01-01 00:00:00\n+++ e\t1970-01-01 00:00:00\n@@ -1 +0,0 @@\n-1\n",
                     {"e": None}, id="delete-by-date"),
        pytest.param("--- /dev/null\n+++ b/f\n" + HUNK, {"f": "a\nc\n"}, id="edit-not-a-creation"),
        pytest.param("".join(f"   {line}\n" for line in ("--- a/f\n+++ b/f\n" + HUNK).splitlines()),
                     {"f": "a\nc\n"}, id="indented"),
        pytest.param("diff --git a/f b/g\nrename from f\nrename to g\n", {"f": None, "g": "a\nb\n"},
                     id="rename"),
        pytest.param("diff --git a/f b/g\nrename from f\nrename to g\n--- a/f\n+++ b/g\n" + HUNK,
                     {"f": None, "g": "a\nc\n"}, id="rename-and-edit"),
        pytest.param("diff --git a/f b/g\ncopy from f\ncopy to g\n", {"g": "a\nb\n"}, id="copy"),
        pytest.param("diff --git a/f b/f\nold mode 100644\nnew mode 100755\n", PatchCode.NO_EDITS,
                     id="mode-alone"),
        pytest.param("--- a/f\n+++ b/f\n" + HUNK + "--- a/e\n+++ b/e\n@@ -1 +1 @@\n-1\n+2\n",
                     {"f": "a\nc\n", "e": "2\n"}, id="two-files"),
        pytest.param("--- a/f\n+++ b/f\n" + HUNK + "--- a/e\n+++ b/e\n@@ -1 +1 @@\n-z\n+2\n",
                     PatchCode.CONTEXT_NOT_FOUND, id="all-or-nothing"),
        pytest.param("Sure:\n\n```diff\n--- a/f\n+++ b/f\n" + HUNK + "```\n\nThat is all.\n",
                     {"f": "a\nc\n"}, id="fenced"),
        pytest.param("--- a/f\n+++ b/f\n" + HUNK + "-- \n2.20.1\n\n", {"f": "a\nc\n"},
                     id="signature"),
        pytest.param(("--- a/f\n+++ b/f\n" + HUNK).replace("\n", "\r\n"), {"f": "a\nc\n"},
                     id="crlf-answer"),
    ],
)  # fmt: skip
def test_a_diff_of_files(edits: str, after: Outcome) -> None:
    assert outcome({"f": "a\nb\n", "e": "1\n"}, edits) == after


@pytest.mark.parametrize("above", [0, 3, 7])
def test_a_hunk_that_fits_often_stands_as_far_from_its_number_as_its_neighbour(above: int) -> None:
    verse = ["there was a man", "he had a hat", ""]
    before = [f"line {at}" for at in range(above)] + ["title", "", *verse * 5]
    after = list(before)
    after[above] = "Title"
    after[above + 2 + 3 * 2] = "there was a woman"
    edits = (
        "--- a/f\n+++ b/f\n@@ -3 +3 @@\n-title\n+Title\n"
        "@@ -11,2 +11,2 @@\n-there was a man\n+there was a woman\n he had a hat\n"
    )
    # the diff was made where `title` is line 3; in the file it is line `above + 1`
    assert outcome({"f": "\n".join(before)}, edits) == {"f": "\n".join(after)}


def test_a_number_that_the_neighbours_do_not_bear_out_decides_nothing() -> None:
    before = "a\nsame\nb\nsame\nc\nd\ntitle\n"
    edits = "--- a/f\n+++ b/f\n@@ -2 +2 @@\n-same\n+new\n@@ -7 +7 @@\n-title\n+Title\n"
    after = before.replace("same", "new", 1).replace("title", "Title")
    assert outcome({"f": before}, edits) == {"f": after}
    assert outcome({"f": before}, edits.replace("-7 +7", "-4 +4")) == PatchCode.AMBIGUOUS
