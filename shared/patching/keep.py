"""Keeps what fitted of an edit while the rest comes anew, so that nothing has to be sent twice.

All is still applied together, or nothing: what is kept is the wish, not its outcome.
"""

from collections.abc import Sequence
from dataclasses import replace

from shared.patching.script import FileEdit


def find_fitting(edit: FileEdit, failed: Sequence[int]) -> tuple[FileEdit, ...]:
    """Answer the part of an edit whose hunks fit, if there is one.

    Args:
        edit: of one file.
        failed: numbers of its hunks that do not fit, from 0; none where it failed as a whole.
    """
    hunks = tuple(hunk for at, hunk in enumerate(edit.hunks) if at not in failed)
    return (replace(edit, hunks=hunks),) if failed and hunks else ()


def join_kept(kept: Sequence[FileEdit], new: Sequence[FileEdit]) -> tuple[FileEdit, ...]:
    """Join what was kept and what came anew; where both are about the same, the new one counts."""
    earlier = list(kept)
    later: list[FileEdit] = []
    for edit in new:
        at = next((i for i, one in enumerate(earlier) if one.path == edit.path), None)
        if at is None:
            later.append(edit)
        elif earlier[at].hunks and edit.hunks and edit.new_path in {None, earlier[at].new_path}:
            earlier[at] = _join_hunks(earlier[at], edit)
        else:
            earlier[at] = edit
    return (*earlier, *later)


def _join_hunks(kept: FileEdit, new: FileEdit) -> FileEdit:
    anew = {hunk.old for hunk in new.hunks}
    hunks = (*(hunk for hunk in kept.hunks if hunk.old not in anew), *new.hunks)
    # side by side they are in no order any more
    return replace(kept, hunks=hunks, ordered=False)
