"""What an edit comes to, told so that a table can state it."""

from collections.abc import Mapping

from shared.domain.change import ChangeKind
from shared.patching.apply import apply_edits
from shared.patching.errors import PatchError
from shared.patching.script import EditFormat

Outcome = dict[str, str | None] | str
"""Each changed file with its text, None where it is gone; or the code of the refusal."""


def apply_text(files: Mapping[str, str], edits: str, format_: EditFormat) -> Outcome:
    """Apply an edit to files given as text."""
    before = {path: text.encode() for path, text in files.items()}
    try:
        patch = apply_edits(before, edits, format=format_)
    except PatchError as refused:
        return refused.code
    after: dict[str, str | None] = {}
    for change in patch.changes:
        content = change.content
        if change.kind is ChangeKind.RENAME and change.previous_path is not None:
            after[change.previous_path] = None
            content = before[change.previous_path] if content is None else content
        after[change.path] = None if content is None else content.decode()
    return after
