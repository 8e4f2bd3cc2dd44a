"""Cases for the edit engine, made from the history of any git repository.

A *drifted* case takes a commit's change of one file to another version of that file, as a backport
does; the truth is what a three-way merge makes of it, or that it conflicts. A *damaged* case takes
the change to the file it was made for, quoted by a bad memory; the truth is the file after it.
"""

import random
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import pygit2

MAX_CHANGED_LINES: Final = 120
MAX_FILE_BYTES: Final = 300_000
MAX_DISTANCE: Final = 8
"""How many versions of the file lie at most between the change and the file it is taken to."""


@dataclass(frozen=True, slots=True)
class Case:
    """An edit, the file it goes to, and what has to come out."""

    name: str
    path: str
    base: bytes
    """What the author of the edit had before their eyes."""
    file: bytes
    """What the edit is applied to."""
    edits: str
    truth: bytes | None
    """None: a three-way merge conflicts, so it has to be refused."""


@dataclass(frozen=True, slots=True)
class _Change:
    path: str
    versions: tuple[bytes, ...]
    at: int
    """The change leads from this version to the next."""


def list_drifted(folder: Path, count: int, seed: int) -> list[Case]:
    """Make drifted cases of a repository, the same ones for the same seed."""
    dice = random.Random(seed)  # noqa: S311 (a sample, not a secret)
    changes = list(_read_changes(folder))
    dice.shuffle(changes)
    cases: list[Case] = []
    for change in changes:
        if len(cases) == count:
            break
        case = _drift(change, dice)
        if case is not None:
            cases.append(case)
    return cases


def list_damaged(folder: Path, count: int, seed: int) -> list[Case]:
    """Make damaged cases of a repository, each kind of damage by turns."""
    dice = random.Random(seed)  # noqa: S311
    changes = list(_read_changes(folder))
    dice.shuffle(changes)
    cases: list[Case] = []
    kinds = list(DAMAGES)
    for change in changes:
        if len(cases) == count:
            break
        kind = kinds[len(cases) % len(kinds)]
        case = _damage(change, kind, dice)
        if case is not None:
            cases.append(case)
    return cases


def _read_changes(folder: Path) -> Iterator[_Change]:
    repository = pygit2.Repository(str(folder))
    histories: dict[str, list[tuple[str, bytes]]] = {}
    walk = repository.walk(
        repository.head.target, pygit2.enums.SortMode.TOPOLOGICAL | pygit2.enums.SortMode.REVERSE
    )
    for commit in walk:
        if len(commit.parents) > 1:
            continue
        known = commit.parents[0].tree if commit.parents else None
        diff = commit.tree.diff_to_tree(known, swap=True) if known else None
        deltas = diff.deltas if diff is not None else []
        for delta in deltas:
            if delta.status_char() not in {"M", "A"}:
                continue
            path = delta.new_file.path
            history = histories.setdefault(path, [])
            for entry in (delta.old_file.id, delta.new_file.id):
                blob = repository.get(entry)
                if isinstance(blob, pygit2.Blob) and (not history or history[-1][0] != str(entry)):
                    history.append((str(entry), blob.data))
    for path, history in sorted(histories.items()):
        versions = tuple(content for _, content in history)
        for at, (old, new) in enumerate(pairwise(versions)):
            if _is_fit(old, new):
                yield _Change(path, versions, at)


def _is_fit(old: bytes, new: bytes) -> bool:
    if b"\0" in old + new or max(len(old), len(new)) > MAX_FILE_BYTES or not old or not new:
        return False
    changed = sum(line[:1] in {"+", "-"} for line in _diff(old, new).splitlines()[2:])
    return 0 < changed <= MAX_CHANGED_LINES


def _drift(change: _Change, dice: random.Random) -> Case | None:
    base, new = change.versions[change.at], change.versions[change.at + 1]
    others = [
        at
        for at in range(len(change.versions))
        if 0 < abs(at - change.at) <= MAX_DISTANCE and change.versions[at] not in {base, new}
    ]
    if not others:
        return None
    file = change.versions[dice.choice(others)]
    truth = merge(base, file, new)
    if truth == file:
        return None
    return Case("drifted", change.path, base, file, _header(change.path) + _diff(base, new), truth)


def merge(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """Merge as `git merge-file` does; None for a conflict."""
    with tempfile.TemporaryDirectory() as name:
        for part, content in (("ours", ours), ("base", base), ("theirs", theirs)):
            Path(name, part).write_bytes(content)
        command = ["git", "merge-file", "-p", "--quiet", "ours", "base", "theirs"]
        done = subprocess.run(command, cwd=name, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


def _header(path: str) -> str:
    return f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n"


def _diff(old: bytes, new: bytes) -> str:
    """Write the hunks of a unified diff, as git does."""
    patch = pygit2.Patch.create_from(old, new, context_lines=3)
    text = patch.data.decode("utf-8", "surrogateescape")
    at = text.find("\n@@ ")
    return text[at + 1 :] if at >= 0 else ""


# --- damage ---------------------------------------------------------------------------------------

Ops = list[tuple[str, str]]
"""A hunk's lines, each with its mark."""


def _damage(change: _Change, kind: str, dice: random.Random) -> Case | None:
    base, new = change.versions[change.at], change.versions[change.at + 1]
    try:
        text = _diff(base, new)
        base.decode()
    except UnicodeDecodeError:
        return None
    hunks = _read_hunks(text)
    damaged: list[Ops] = []
    hit = False
    for hunk in hunks:
        changed = DAMAGES[kind]([*hunk], dice)
        hit = hit or (changed is not None and changed != hunk)
        damaged.append(changed or hunk)
    if not hit:
        return None
    write = dice.choice((_write_blocks, _write_diff))
    return Case(kind, change.path, base, base, write(change.path, damaged), new)


def _read_hunks(text: str) -> list[Ops]:
    hunks: list[Ops] = []
    for line in text.split("\n"):
        if line.startswith("@@"):
            hunks.append([])
        elif line and line[0] in " +-" and hunks:
            hunks[-1].append((line[0], line[1:]))
    return hunks


def _write_blocks(path: str, hunks: list[Ops]) -> str:
    parts: list[str] = []
    for ops in hunks:
        old = [line for mark, line in ops if mark != "+"]
        new = [line for mark, line in ops if mark != "-"]
        lines = [path, "<<<<<<< SEARCH", *old, "=======", *new, ">>>>>>> REPLACE", ""]
        parts.append("\n".join(lines))
    return "\n".join(parts)


def _write_diff(path: str, hunks: list[Ops]) -> str:
    body = "".join("@@ @@\n" + "".join(f"{mark}{line}\n" for mark, line in ops) for ops in hunks)
    return _header(path) + body


def _pick_context(ops: Ops, dice: random.Random) -> int | None:
    telling = [at for at, (mark, line) in enumerate(ops) if mark == " " and len(line.strip()) > 8]
    return dice.choice(telling) if telling else None


def _change_word(ops: Ops, dice: random.Random) -> Ops | None:
    at = _pick_context(ops, dice)
    if at is None:
        return None
    words = ops[at][1].split(" ")
    long = [i for i, word in enumerate(words) if len(word) > 2]
    if not long:
        return None
    where = dice.choice(long)
    words[where] = dice.choice(("value", "self._item", "result", "name"))
    ops[at] = (" ", " ".join(words))
    return ops


def _cut_tail(ops: Ops, dice: random.Random) -> Ops | None:
    at = _pick_context(ops, dice)
    if at is None:
        return None
    line = ops[at][1]
    ops[at] = (" ", line[: max(6, 2 * len(line) // 3)].rstrip())
    return ops


def _is_inner(ops: Ops, at: int) -> bool:
    """Tell context that no change touches: without such a line it is still known what is meant."""
    around = ops[max(0, at - 1) : at + 2]
    return len(around) == 3 and all(mark == " " for mark, _ in around)


def _drop_context(ops: Ops, dice: random.Random) -> Ops | None:
    inner = [at for at, (_, line) in enumerate(ops) if _is_inner(ops, at) and line.strip()]
    if not inner:
        return None
    del ops[dice.choice(inner)]
    return ops


def _invent_context(ops: Ops, dice: random.Random) -> Ops | None:
    at = _pick_context(ops, dice)
    if at is None:
        return None
    line = ops[at][1]
    indent = line[: len(line) - len(line.lstrip())]
    ops.insert(at, (" ", indent + dice.choice(("# see above", "log.debug(state)", "pass"))))
    return ops


def _drop_blank(ops: Ops, dice: random.Random) -> Ops | None:
    blank = [at for at, (_, line) in enumerate(ops) if _is_inner(ops, at) and not line.strip()]
    if not blank:
        return None
    del ops[dice.choice(blank)]
    return ops


def _shift_all(ops: Ops, dice: random.Random) -> Ops | None:
    put = dice.choice(("    ", "  ", "\t"))
    return [(mark, put + line if line.strip() else line) for mark, line in ops]


def _trail(ops: Ops, dice: random.Random) -> Ops | None:
    at = _pick_context(ops, dice)
    if at is None:
        return None
    ops[at] = (" ", ops[at][1] + "  ")
    return ops


def _quote(ops: Ops, _: random.Random) -> Ops | None:
    table = str.maketrans({'"': "\u201d", "'": "\u2019", "-": "\u2013"})
    return [(mark, line.translate(table) if mark == " " else line) for mark, line in ops]


def _misspell(ops: Ops, dice: random.Random) -> Ops | None:
    """Misremember a word in a line that is changed, before and after alike."""
    marks = "".join(mark for mark, _ in ops).strip()
    if marks != "-+":
        return None
    at = next(at for at, (mark, _) in enumerate(ops) if mark == "-")
    old, new = ops[at][1].split(" "), ops[at + 1][1].split(" ")
    words = sorted(
        word for word in old if len(word) > 4 and old.count(word) == new.count(word) == 1
    )
    if not words:
        return None
    word = dice.choice(words)
    other = word[:-2] + word[-1] + word[-2]
    if other == word or old[old.index(word) - 1] != new[new.index(word) - 1]:
        return None
    for place, line in ((at, old), (at + 1, new)):
        ops[place] = (ops[place][0], " ".join(other if part == word else part for part in line))
    return ops


def _two_words(ops: Ops, dice: random.Random) -> Ops | None:
    once = _change_word(ops, dice)
    return _change_word(once, dice) if once else None


DAMAGES: Final[dict[str, Callable[[Ops, random.Random], Ops | None]]] = {
    "a context line has another word": _change_word,
    "two context lines have another word": _two_words,
    "a context line is cut short": _cut_tail,
    "a context line is left out": _drop_context,
    "a context line is invented": _invent_context,
    "a blank line is left out": _drop_blank,
    "indented otherwise": _shift_all,
    "trailing blanks": _trail,
    "typographic quotes": _quote,
    "a changed line is misspelt": _misspell,
}
"""What a bad memory does to a hunk."""
