"""A snapshot of a repository with changes on top, and the way from them to structured edits.

It works on lines without their endings: the patching engine puts line endings, byte order marks and
final newlines back as they were. It never touches a binary file, and reads no file it was not asked
for.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, Final

from pathspec import GitIgnoreSpec

from shared.domain.errors import Verdict
from shared.domain.foreign_paths import FOREIGN_GLOBS
from shared.llm.provider import ModelCode, ModelError, RequestError
from shared.patching.rules import PROTECTED_GLOBS
from shared.patching.text import decode, is_binary

MAX_TEXT_BYTES: Final = 1_000_000
"""A larger file is not edited unless the request names it."""
MAX_COMPARED_CELLS: Final = 4_000_000
"""Lines old times lines new up to which changes are told apart line by line."""
MAX_SHOWN: Final = 5
"""Candidates named in a message."""

_NOT_OURS: Final = GitIgnoreSpec.from_lines(
    [*PROTECTED_GLOBS, *FOREIGN_GLOBS, "out/", "obj/", "bin/", ".vs/", ".idea/"]
)
"""Vendored, generated and protected files: touched only when the request names them."""

Cut = tuple[int, int, int, int]


class Workspace:
    """The files as they are after what was done so far."""

    def __init__(
        self,
        files: Mapping[str, bytes],
        *,
        preferred: Sequence[str] = (),
        is_late: Callable[[], bool] = lambda: False,
    ) -> None:
        self._files = files
        self._preferred = preferred
        self._is_late = is_late
        self._lines: dict[str, list[str] | None] = {}
        """Files that were read, as they were; None for what is not text."""
        self._encodings: dict[str, str] = {}
        self._changed: dict[str, list[str]] = {}
        self._created: dict[str, str] = {}
        self._deleted: list[str] = []
        self._moved: dict[str, str] = {}
        """Old path to new path."""
        self._order: list[str] | None = None

    # Reading

    def exists(self, path: str) -> bool:
        """Answer whether a file is there now."""
        if path in self._created or path in self._moved.values():
            return True
        return path in self._files and path not in self._deleted and path not in self._moved

    def read_lines(self, path: str) -> list[str] | None:
        """Read a text file as lines without endings; None when it is binary or not there.

        Raises:
            ModelError: the deadline has passed.
        """
        if path in self._created:
            return self._created[path].split("\n")
        origin = self._origin(path)
        if origin in self._changed:
            return list(self._changed[origin])
        lines = self._read_origin(origin)
        return None if lines is None else list(lines)

    def read_text(self, path: str) -> str | None:
        """Read a text file with its lines joined by newlines."""
        lines = self.read_lines(path)
        return None if lines is None else "\n".join(lines)

    def is_small(self, path: str) -> bool:
        """Answer whether a file is of a size that may be edited unasked."""
        content = self._files.get(self._origin(path), b"")
        return len(content) <= MAX_TEXT_BYTES

    def fit_to_encoding(self, path: str, text: str) -> str:
        """Drop what the file's encoding cannot hold."""
        encoding = self._encodings.get(self._origin(path), "utf-8")
        return text.encode(encoding, "ignore").decode(encoding)

    def _origin(self, path: str) -> str:
        return next((old for old, new in self._moved.items() if new == path), path)

    def _read_origin(self, path: str) -> list[str] | None:
        if path not in self._lines:
            self._check_time()
            self._lines[path] = self._decode(path)
        return self._lines[path]

    def _decode(self, path: str) -> list[str] | None:
        content = self._files.get(path)
        if content is None or is_binary(content):
            return None
        text = decode(content, path)
        self._encodings[path] = text.encoding
        return list(text.bare)

    # Finding

    def list_own_files(self) -> list[str]:
        """List the files that may be edited unasked: preferred ones first, then near the root."""
        if self._order is None:
            ranked = [path for path in self._preferred if path in self._files]
            rest = sorted(set(self._files) - set(ranked), key=lambda path: (path.count("/"), path))
            own = dict.fromkeys((*ranked, *rest))
            self._order = [path for path in own if not _NOT_OURS.match_file(path)]
        return [path for path in self._order if self.exists(path)]

    def search(self, pattern: re.Pattern[str], hint: str) -> Iterator[tuple[str, str]]:
        """Read the text files that a pattern occurs in, one by one, keeping none in memory.

        Args:
            pattern: what is looked for.
            hint: a text that each occurrence has, whatever its case; spares the decoding of others.
        """
        needle = hint.lower().encode()
        for path in self.list_own_files():
            known = path in self._created or self._origin(path) in self._changed
            if not known:
                self._check_time()
                content = self._files[self._origin(path)]
                if len(content) > MAX_TEXT_BYTES or needle not in content.lower():
                    continue
                if is_binary(content):
                    continue
                text = "\n".join(decode(content, path).bare)
            else:
                text = self.read_text(path) or ""
            if pattern.search(text):
                yield path, text

    def _check_time(self) -> None:
        if self._is_late():
            raise ModelError(
                str(ModelCode.OUT_OF_TIME),
                "The time limit ended before the draft did.",
                verdict=Verdict.BUG,
            )

    def count_preferred(self, paths: Sequence[str]) -> int:
        """Answer how many of the first paths are preferred ones."""
        preferred = set(self._preferred)
        return next((at for at, path in enumerate(paths) if path not in preferred), len(paths))

    def has_folder(self, name: str) -> bool:
        """Answer whether a path is that of a folder."""
        folder = name.rstrip("/") + "/"
        return any(path.startswith(folder) for path in self._files)

    def find_file(self, name: str) -> str:
        """Find the file that a request means: its path, or the end of a path that one file has.

        Raises:
            RequestError: `model.file_not_found`, `model.file_ambiguous`.
        """
        if self.exists(name):
            return name
        present = [path for path in (*self._files, *self._created) if self.exists(path)]
        wanted = name.casefold()
        for found in (
            [path for path in present if path.casefold() == wanted],
            [path for path in present if path.endswith("/" + name)],
            [path for path in present if path.casefold().endswith("/" + wanted)],
            [path for path in present if _stem(path).casefold() == wanted and "." not in wanted],
        ):
            if len(found) == 1:
                return found[0]
            if found:
                some = ", ".join(sorted(found)[:MAX_SHOWN])
                raise RequestError(
                    ModelCode.FILE_AMBIGUOUS, f"Several files are called {name}: {some}. Name one."
                )
        raise RequestError(ModelCode.FILE_NOT_FOUND, f"There is no file {name} on this branch.")

    def read_named(self, path: str) -> list[str]:
        """Read a file that a request names.

        Raises:
            RequestError: `model.file_is_binary`.
        """
        lines = self.read_lines(path)
        if lines is None:
            raise RequestError(
                ModelCode.FILE_IS_BINARY, f"{path} holds no text that can be edited."
            )
        return lines

    # Changing

    def write_lines(self, path: str, lines: Sequence[str]) -> None:
        """Give a file other lines."""
        if path in self._created:
            self._created[path] = "\n".join(lines)
        else:
            origin = self._origin(path)
            self._read_origin(origin)
            self._changed[origin] = list(lines)

    def write_text(self, path: str, text: str) -> None:
        """Give a file another text (lines joined by newlines)."""
        self.write_lines(path, text.split("\n"))

    def create(self, path: str, content: str) -> None:
        """Create a file.

        Raises:
            RequestError: `model.file_exists`.
        """
        if self.exists(path):
            raise RequestError(ModelCode.FILE_EXISTS, f"There is a file {path} already.")
        self._created[path] = content

    def delete(self, path: str) -> None:
        """Delete a file."""
        if path in self._created:
            del self._created[path]
            return
        origin = self._origin(path)
        self._moved.pop(origin, None)
        self._changed.pop(origin, None)
        self._deleted.append(origin)

    def move(self, path: str, target: str) -> None:
        """Give a file another path.

        Raises:
            RequestError: `model.file_exists`.
        """
        if self.exists(target):
            raise RequestError(ModelCode.FILE_EXISTS, f"There is a file {target} already.")
        if path in self._created:
            self._created[target] = self._created.pop(path)
        else:
            self._moved[self._origin(path)] = target

    # Writing down

    def to_edits(self) -> str:
        """Write the changes as structured edits of `shared.patching`.

        Raises:
            RequestError: `model.nothing_to_change`.
        """
        edits: list[dict[str, Any]] = []
        for path in sorted(self._changed):
            edits.extend(_edit_file(path, self._read_origin(path) or [], self._changed[path]))
        for old, new in sorted(self._moved.items()):
            if old != new:
                edits.append({"action": "rename", "path": old, "new_path": new})
        edits.extend({"action": "delete", "path": path} for path in sorted(self._deleted))
        edits.extend(
            {"action": "create", "path": path, "content": content}
            for path, content in sorted(self._created.items())
        )
        if not edits:
            raise RequestError(
                ModelCode.NOTHING_TO_CHANGE, "The files are already as the request wants them."
            )
        return json.dumps({"edits": edits}, indent=1)


def _stem(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0]


def _edit_file(path: str, old: list[str], new: list[str]) -> list[dict[str, Any]]:
    if old == new:
        return []
    if not old:
        return [{"action": "overwrite", "path": path, "content": "\n".join(new) + "\n"}]
    return [
        {
            "action": "replace",
            "path": path,
            "search": "\n".join(old[a:b]) + "\n",
            "replace": "".join(line + "\n" for line in new[c:d]),
            "every_occurrence": False,
        }
        for a, b, c, d in _cut_unique_blocks(old, new)
    ]


def _cut_unique_blocks(old: list[str], new: list[str]) -> list[Cut]:
    """Cut the change into blocks of whole lines, each of which occurs once in the old text."""
    blocks = [_widen_until_unique(old, cut) for cut in _compare(old, new)]
    joined: list[Cut] = []
    for cut in blocks:
        block = cut
        if joined and block[0] <= joined[-1][1]:
            first = joined.pop()
            block = _widen_until_unique(
                old, (first[0], max(first[1], block[1]), first[2], max(first[3], block[3]))
            )
            while joined and block[0] <= joined[-1][1]:
                first = joined.pop()
                block = (first[0], block[1], first[2], block[3])
        joined.append(block)
    return joined


def _widen_until_unique(old: list[str], cut: Cut) -> Cut:
    a, b, c, d = cut
    widen = 1 if a < b and any(line.strip() for line in old[a:b]) else 2
    while True:
        up, down = min(widen - 1, a), min(widen - 1, len(old) - b)
        block = (a - up, b + down, c - up, d + down)
        whole = up == a and down == len(old) - b
        if whole or (block[0] < block[1] and _occurs_once(old, old[block[0] : block[1]])):
            return block
        widen += widen if widen > 4 else 1


def _occurs_once(lines: list[str], block: list[str]) -> bool:
    if not any(line.strip() for line in block):
        return False  # the engine's ladder may see blank lines elsewhere
    found = 0
    at = -1
    while found < 2:
        try:
            at = lines.index(block[0], at + 1)
        except ValueError:
            break
        if lines[at : at + len(block)] == block:
            found += 1
    return found == 1


def _compare(old: list[str], new: list[str]) -> list[Cut]:
    if len(old) == len(new):
        return _compare_in_place(old, new)
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    a, b, c, d = start, len(old) - end, start, len(new) - end
    if (b - a) * (d - c) > MAX_COMPARED_CELLS:
        return [(a, b, c, d)]
    matcher = SequenceMatcher(None, old[a:b], new[c:d], autojunk=False)
    return [
        (a + i, a + j, c + k, c + m) for tag, i, j, k, m in matcher.get_opcodes() if tag != "equal"
    ]


def _compare_in_place(old: list[str], new: list[str]) -> list[Cut]:
    cuts: list[Cut] = []
    for index, (before, after) in enumerate(zip(old, new, strict=True)):
        if before == after:
            continue
        if cuts and cuts[-1][1] == index:
            first = cuts.pop()
            cuts.append((first[0], index + 1, first[2], index + 1))
        else:
            cuts.append((index, index + 1, index, index + 1))
    return cuts


def split_words(text: str) -> set[str]:
    """Split text into lower-case words, identifiers at case and underscore too."""
    return {
        word.lower()
        for word in re.findall(r"[A-Z]?[a-zäöüß]+|[A-Z]+(?![a-z])|[0-9]+", text)
        if len(word) > 1
    }
