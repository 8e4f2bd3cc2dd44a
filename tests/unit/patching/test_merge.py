"""Carrying an edit to what the branch holds by now."""

import json
from typing import Any

import pytest

from shared.domain.change import ChangeKind, FileChange
from shared.patching.apply import apply_edits
from shared.patching.errors import PatchCode, PatchError
from shared.patching.merge import merge_changes, merge_text

BASE = b"one\ntwo\nthree\nfour\nfive\nsix\nseven\n"
EDITED = BASE.replace(b"two", b"TWO")
MOVED_ON = b"zero\n" + BASE.replace(b"six", b"SIX")
CLASH = BASE.replace(b"two", b"2")


def edit(content: bytes = EDITED) -> FileChange:
    return FileChange("f", ChangeKind.EDIT, content)


RENAME = FileChange("g", ChangeKind.RENAME, EDITED, "f")
ADD = FileChange("n", ChangeKind.ADD, b"n\n")
DELETE = FileChange("f", ChangeKind.DELETE)


@pytest.mark.parametrize(
    ("change", "tip", "merged"),
    [
        pytest.param(edit(), {"f": BASE}, edit(), id="nothing-moved"),
        pytest.param(edit(), {"f": MOVED_ON}, edit(MOVED_ON.replace(b"two", b"TWO")), id="edit"),
        pytest.param(RENAME, {"f": MOVED_ON}, FileChange("g", ChangeKind.RENAME,
                     MOVED_ON.replace(b"two", b"TWO"), "f"), id="rename-and-edit"),
        pytest.param(FileChange("g", ChangeKind.RENAME, None, "f"), {"f": MOVED_ON},
                     FileChange("g", ChangeKind.RENAME, None, "f"), id="rename"),
        pytest.param(ADD, {"f": BASE}, ADD, id="add"),
        pytest.param(DELETE, {"f": BASE}, DELETE, id="delete"),
    ],
)  # fmt: skip
def test_a_change_is_merged(change: FileChange, tip: dict[str, bytes], merged: FileChange) -> None:
    assert merge_changes((change,), {"f": BASE}, tip) == (merged,)


@pytest.mark.parametrize(
    ("change", "tip", "code"),
    [
        pytest.param(edit(), {"f": CLASH}, PatchCode.CONFLICT, id="same-line"),
        pytest.param(edit(), {}, PatchCode.CONFLICT, id="edit-of-what-is-gone"),
        pytest.param(ADD, {"n": b"m\n"}, PatchCode.CONFLICT, id="add-add"),
        pytest.param(DELETE, {"f": MOVED_ON}, PatchCode.CONFLICT, id="delete-of-what-was-edited"),
        pytest.param(RENAME, {"f": BASE, "g": b"x"}, PatchCode.CONFLICT, id="rename-onto-a-file"),
        pytest.param(RENAME, {}, PatchCode.CONFLICT, id="rename-of-what-is-gone"),
        pytest.param(edit(), {"f": EDITED}, PatchCode.NOTHING_CHANGED, id="edited-already"),
        pytest.param(ADD, {"n": b"n\n"}, PatchCode.NOTHING_CHANGED, id="added-already"),
        pytest.param(DELETE, {}, PatchCode.NOTHING_CHANGED, id="deleted-already"),
    ],
)
def test_a_change_that_cannot_be_merged_is_refused(
    change: FileChange, tip: dict[str, bytes], code: PatchCode
) -> None:
    with pytest.raises(PatchError) as refused:
        merge_changes((change,), {"f": BASE}, tip)
    assert refused.value.code == code


@pytest.mark.parametrize("mark", [b"", b"\xe4\n", b"\xef\xbb\xbf", "\u00e9\n".encode()])
def test_text_is_merged_byte_by_byte(mark: bytes) -> None:
    merged = merge_text("f", mark + BASE, mark + MOVED_ON, mark + BASE.replace(b"four", b"4"))
    assert merged == mark + MOVED_ON.replace(b"four", b"4")


def test_crlf_is_merged_as_it_is() -> None:
    wide = [side.replace(b"\n", b"\r\n") for side in (BASE, MOVED_ON, EDITED)]
    merged = MOVED_ON.replace(b"two", b"TWO").replace(b"\n", b"\r\n")
    assert merge_text("f", *wide) == merged


def test_binary_sides_conflict() -> None:
    with pytest.raises(PatchError) as refused:
        merge_text("f", BASE, b"\0" + BASE, EDITED)
    assert refused.value.code == PatchCode.CONFLICT


def test_a_merge_mends_only_what_is_left_to_do() -> None:
    entries: list[dict[str, Any]] = [
        {"action": "replace", "path": path, "search": "two\n", "replace": "TWO\n"}
        for path in ("f", "g")
    ]
    files = {"f": BASE, "g": BASE}
    tip = {"f": EDITED, "g": MOVED_ON}
    patch = apply_edits(files, json.dumps({"edits": entries}), tip=tip)
    assert [change.path for change in patch.changes] == ["g"]
