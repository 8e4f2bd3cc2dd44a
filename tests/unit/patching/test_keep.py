"""What fitted of a try is kept: only the rest has to come again."""

import pytest

from shared.patching.apply import apply_edits
from shared.patching.errors import PatchError
from shared.patching.script import FileEdit

FILES = {"f": b"one\ntwo\nthree\nfour\n", "g": b"alpha\n"}


def block(path: str, search: str, replace: str) -> str:
    return f"{path}\n<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE\n\n"


def refuse(edits: str, kept: tuple[FileEdit, ...] = ()) -> PatchError:
    with pytest.raises(PatchError) as refused:
        apply_edits(FILES, edits, kept=kept)
    return refused.value


FIRST = (
    block("f", "one", "ONE")
    + block("f", "nowhere", "x")
    + block("g", "alpha", "ALPHA")
    + block("h", "missing", "x")
)


def test_only_what_did_not_fit_has_to_come_again() -> None:
    fitting = refuse(FIRST).fitting
    assert [(edit.path, len(edit.hunks)) for edit in fitting] == [("f", 1), ("g", 1)]
    patch = apply_edits(FILES, block("f", "three", "THREE"), kept=fitting)
    after = {change.path: change.content for change in patch.changes}
    assert after == {"f": b"ONE\ntwo\nTHREE\nfour\n", "g": b"ALPHA\n"}


def test_what_comes_again_all_the_same_counts_once() -> None:
    again = block("f", "one", "ONE") + block("f", "four", "FOUR") + block("g", "alpha", "ALPHA")
    patch = apply_edits(FILES, again, kept=refuse(FIRST).fitting)
    after = {change.path: change.content for change in patch.changes}
    assert after == {"f": b"ONE\ntwo\nthree\nFOUR\n", "g": b"ALPHA\n"}


def test_a_new_wish_for_the_same_lines_counts_more_than_the_kept_one() -> None:
    patch = apply_edits(FILES, block("f", "one", "1"), kept=refuse(FIRST).fitting)
    after = {change.path: change.content for change in patch.changes}
    assert after["f"] == b"1\ntwo\nthree\nfour\n"


def test_kept_hunks_of_a_diff_are_applied_beside_new_ones() -> None:
    diff = "--- a/f\n+++ b/f\n@@ @@\n-one\n+ONE\n two\n@@ @@\n three\n-nowhere\n+x\n"
    fitting = refuse(diff).fitting
    patch = apply_edits(FILES, "--- a/f\n+++ b/f\n@@ @@\n three\n-four\n+FOUR\n", kept=fitting)
    assert patch.changes[0].content == b"ONE\ntwo\nthree\nFOUR\n"


def test_failures_go_on_being_told_with_what_is_kept() -> None:
    first = refuse(FIRST)
    second = refuse(block("f", "nowhere either", "x"), first.fitting)
    assert {edit.path for edit in second.fitting} == {"f", "g"}
    assert "- g: alpha" in second.report
