"""Files that are created, deleted and moved over one another, in any order."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.change import ChangeKind, FileChange
from shared.patching.apply import apply_edits
from shared.patching.errors import PatchCode, PatchError
from shared.patching.script import EditFormat

FILES = {"a": b"1\n", "b": b"2\n", "c": b"3\n"}
NAMES = st.sampled_from(["a", "b", "c", "d", "e"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("create"), NAMES, st.sampled_from(["1\n", "2\n", "9\n"])),
        st.tuples(st.just("delete"), NAMES, st.just("")),
        st.tuples(st.just("rename"), NAMES, NAMES),
    ),
    min_size=1,
    max_size=8,
)
Step = tuple[str, str, str]


def write(step: Step) -> dict[str, Any]:
    action, path, more = step
    names = {"create": "content", "rename": "new_path"}
    return {"action": action, "path": path} | ({names[action]: more} if action in names else {})


def apply(*steps: Step, files: dict[str, bytes] = FILES) -> tuple[FileChange, ...]:
    edits = json.dumps({"edits": [write(step) for step in steps]})
    return apply_edits(files, edits, format=EditFormat.STRUCTURED).changes


def follow(steps: list[Step]) -> dict[str, bytes] | None:
    """Do the steps one after the other on a dictionary; None when one of them cannot be done."""
    files = dict(FILES)
    for action, path, more in steps:
        if action == "create":
            if path in files:
                return None
            files[path] = more.encode()
        elif path not in files or (action == "rename" and more in files.keys() - {path}):
            return None
        elif action == "rename":
            files[more] = files.pop(path)
        else:
            del files[path]
    return files


def push(changes: tuple[FileChange, ...]) -> dict[str, bytes]:
    """Carry the changes out in their order, as the service does: none may meet another's file."""
    files = dict(FILES)
    for change in changes:
        if change.kind in (ChangeKind.ADD, ChangeKind.RENAME):
            assert change.path not in files
        else:
            assert change.path in files
        if change.previous_path is not None:
            files[change.path] = files.pop(change.previous_path)
        if change.kind is ChangeKind.DELETE:
            del files[change.path]
        elif change.content is not None:
            files[change.path] = change.content
    return files


@settings(max_examples=300, deadline=None)
@given(steps=STEPS)
def test_what_comes_out_is_what_the_steps_do_one_after_the_other(steps: list[Step]) -> None:
    wanted = follow(steps)
    try:
        changes = apply(*steps)
    except PatchError:
        changes = ()
    assert push(changes) == (wanted or FILES)
    assert len({change.path for change in changes}) == len(changes)


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([("create", "a/x", "y\n")], id="below-a-file"),
        pytest.param([("create", "a/x/y/z", "y\n")], id="deep-below-a-file"),
        pytest.param([("rename", "b", "a/b")], id="moved-below-a-file"),
        pytest.param([("create", "src", "y\n")], id="over-a-folder"),
        pytest.param([("create", "n", "y\n"), ("create", "n/x", "y\n")], id="both-new"),
    ],
)
def test_no_path_is_a_file_and_a_folder(steps: list[Step]) -> None:
    with pytest.raises(PatchError) as refused:
        apply(*steps, files=FILES | {"src/x": b"4\n"})
    assert refused.value.code == PatchCode.FILE_EXISTS


def test_a_file_may_make_way_for_a_folder() -> None:
    assert [change.path for change in apply(("delete", "a", ""), ("create", "a/x", "y\n"))] == [
        "a",
        "a/x",
    ]
