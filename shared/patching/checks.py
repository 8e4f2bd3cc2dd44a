"""Holds an edit against the rules: where it may go before it is applied, what came out after."""

import re
from collections.abc import Collection, Mapping
from functools import cache
from typing import Final

from pathspec import GitIgnoreSpec

from shared.domain.change import FileChange
from shared.domain.credentials import CREDENTIAL_FORMS
from shared.patching.errors import PatchCode, PatchError
from shared.patching.paths import refuse_reason
from shared.patching.rules import PatchRules
from shared.patching.syntax import is_syntax_broken
from shared.patching.text import is_binary

_ELIDED: Final = re.compile(
    r"(?:#|//|/\*|\{/\*|<!--|--|;|%)?\s?[(\[]?"
    r"(?:(?:\.{3}|\u2026)\s?[(\[]?(?:the )?(?:other |all )?"
    r"(?:rest|remainder|remaining|existing|unchanged|omitted|same as|previous)\b.*"
    r"|(?:the )?(?:rest|remainder) of (?:the |this )?\w+ "
    r"(?:(?:is|are|remains?|stays?) )?(?:unchanged|omitted|the same|as (?:before|it is))\W*)",
    re.IGNORECASE,
)
"""What models write where they leave out what they would have had to repeat."""
MAX_ELISION_CHARS: Final = 120
"""A longer line says more than that something was left out."""
_CONFLICT: Final = re.compile(rb"^(?:<{7} |={7}\r?$|>{7} )", re.MULTILINE)


def check_path(path: str, rules: PatchRules, symlinks: Collection[str]) -> None:
    """Refuse a path that no edit may touch.

    Raises:
        PatchError: `patch.path_refused` or `patch.protected`.
    """
    reason = refuse_reason(path)
    if reason is None and symlinks:
        parts = path.split("/")
        above = ("/".join(parts[:count]) for count in range(1, len(parts) + 1))
        if any(folder in symlinks for folder in above):
            reason = "is or lies behind a symbolic link"
    if reason is not None:
        raise PatchError(
            PatchCode.PATH_REFUSED, f"a path {reason}", path=path, report=f"{path!r} {reason}."
        )
    protected = tuple(glob.lower() for glob in rules.protected_globs)
    if _fits(protected, path.lower()) or _fits(rules.withheld_globs, path):
        raise PatchError(
            PatchCode.PROTECTED,
            f"{path} is protected",
            path=path,
            report=f"{path} is protected and must stay as it is. Do without it.",
        )


def _fits(globs: tuple[str, ...], path: str) -> bool:
    return bool(globs) and _compile(globs).match_file(path)


@cache
def _compile(globs: tuple[str, ...]) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines(globs)


def check_size(edits: str, rules: PatchRules) -> None:
    """Refuse an edit that is larger than the rules allow.

    Raises:
        PatchError: `patch.too_large`.
    """
    size = len(edits.encode("utf-8", "surrogatepass"))
    if rules.max_patch_bytes is not None and size > rules.max_patch_bytes:
        raise PatchError(
            PatchCode.TOO_LARGE,
            f"the edit has {size} bytes; {rules.max_patch_bytes} are allowed",
        )


def check_changes(
    changes: Collection[FileChange], before: Mapping[str, bytes], rules: PatchRules
) -> None:
    """Refuse a result that should not be pushed.

    Args:
        changes: what the edit does.
        before: contents of the changed files, by the path they had.
        rules: what is allowed.

    Raises:
        PatchError: `patch.nothing_changed`, `patch.too_many_files`, `patch.binary`,
            `patch.conflict_markers`, `patch.elided`, `patch.secret_introduced` or
            `patch.syntax_broken`.
    """
    if not changes:
        raise PatchError(PatchCode.NOTHING_CHANGED, "the edit leaves every file as it was")
    if rules.max_files is not None and len(changes) > rules.max_files:
        raise PatchError(
            PatchCode.TOO_MANY_FILES,
            f"the edit changes {len(changes)} files; {rules.max_files} are allowed",
        )
    for change in changes:
        if change.content is not None:
            old = before.get(change.previous_path or change.path)
            _check_content(change.path, old, change.content, rules)


def _check_content(path: str, old: bytes | None, new: bytes, rules: PatchRules) -> None:
    if is_binary(new):
        raise PatchError(PatchCode.BINARY, f"{path} would become a binary file", path=path)
    markers = _count_markers(new) if rules.check_conflict_markers else 0
    if markers and markers > _count_markers(old or b""):
        raise PatchError(
            PatchCode.CONFLICT_MARKERS, f"conflict markers are left in {path}", path=path
        )
    if rules.check_elisions and old is not None:
        _check_elisions(path, old, new)
    if rules.check_secrets:
        _check_secrets(path, old, new, rules)
    if rules.check_syntax and is_syntax_broken(path, old, new):
        raise PatchError(
            PatchCode.SYNTAX_BROKEN,
            f"{path} is not well-formed any more",
            path=path,
            report=f"After the edit {path} has syntax errors that it did not have before.",
        )


def _count_markers(content: bytes) -> int:
    return len(_CONFLICT.findall(content)) if b"<<<<<<<" in content else 0


def _check_elisions(path: str, old: bytes, new: bytes) -> None:
    """Refuse lines that stand for others which are gone: what they stand for would be lost."""
    before, after = set(old.splitlines()), set(new.splitlines())
    found = next(filter(_is_elision, sorted(after - before)), None)
    if found is not None and before - after:
        line = found.decode("utf-8", "replace").strip()
        raise PatchError(
            PatchCode.ELIDED,
            f"new lines of {path} stand for others that are gone",
            path=path,
            report=f"After the edit {path} holds {line!r}, and the lines that it stands for are "
            "gone. Write every line out, or edit only the lines that change.",
        )


def _is_elision(line: bytes) -> bool:
    text = line.strip()
    is_short = len(text) <= MAX_ELISION_CHARS
    return is_short and _ELIDED.fullmatch(text.decode("utf-8", "replace")) is not None


def _check_secrets(path: str, old: bytes | None, new: bytes, rules: PatchRules) -> None:
    known = set((old or b"").decode("utf-8", "replace").splitlines())
    for line in new.decode("utf-8", "replace").splitlines():
        if line in known:
            continue
        found = any(pattern.search(line) for pattern in CREDENTIAL_FORMS)
        if found or (rules.find_secrets is not None and rules.find_secrets(line)):
            raise PatchError(
                PatchCode.SECRET_INTRODUCED,
                f"a new line of {path} holds what looks like a credential",
                path=path,
            )
