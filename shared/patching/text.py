"""The text of a file as lines that remember their endings, and back to the very same bytes.

Never normalises: what is read and not edited is written as it was, whatever its encoding.
"""

import re
from collections.abc import Sequence
from functools import cached_property

from shared.patching.errors import PatchCode, PatchError
from shared.patching.offsets import LineOffsets

_BOM_16 = (b"\xff\xfe", b"\xfe\xff")
_MULTIBYTE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
MARK = "\ufeff"
"""The byte order mark that a text may begin with."""
MAX_WALK = 64
"""Lines beyond which it pays to add up the lengths of all lines between."""
_SURROGATE = re.compile("[\udc80-\udcff]")


def split_lines(text: str) -> list[str]:
    r"""Split into lines that keep their ending: `\n`, `\r\n`, or `\r` where there is no `\n`.

    Form feeds, vertical tabs and Unicode separators end no line, as in git.
    """
    split = text.splitlines(keepends=True)
    if len(split) == _count_lines(text):
        return split
    end = "\r" if "\n" not in text and "\r" in text else "\n"
    lines = [line + end for line in text.split(end)]
    last = lines.pop()[: -len(end)]
    if last:
        lines.append(last)
    return lines


def _count_lines(text: str) -> int:
    """Count lines that newlines end; `str.splitlines` finds more where it sees other endings."""
    return text.count("\n") + (bool(text) and not text.endswith("\n"))


def split_lines_as_git(text: str) -> list[str]:
    """Split into lines at newlines alone, each with its newline."""
    split = text.splitlines(keepends=True)
    if len(split) == _count_lines(text):
        return split
    lines = [line + "\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def strip_ending(line: str) -> str:
    """Cut the line ending off, and nothing else."""
    if line.endswith("\n"):
        return line[:-2] if line.endswith("\r\n") else line[:-1]
    return line.removesuffix("\r")


def strip_endings(lines: Sequence[str]) -> list[str]:
    """Cut the line ending off each line."""
    joined = "".join(lines)
    if "\r" not in joined:
        bare = joined.split("\n")
        if not bare[-1]:
            bare.pop()
        if len(bare) == len(lines):
            return bare
    return [strip_ending(line) for line in lines]


def ending_of(line: str) -> str:
    r"""Tell the line ending: one of `\n`, `\r\n`, `\r` and nothing."""
    if line.endswith("\n"):
        return "\r\n" if line.endswith("\r\n") else "\n"
    return "\r" if line.endswith("\r") else ""


class FileText:
    """A text file: its lines, and the encoding that leads back to its bytes."""

    def __init__(self, text: str, encoding: str) -> None:
        self.text = text
        self.encoding = encoding
        """utf-8 (bytes that are not, kept as surrogates), latin-1, utf-16-le or utf-16-be."""
        self.has_returns = "\r" in text
        """Whether a line may end in something else than a newline."""

    @cached_property
    def lines(self) -> list[str]:
        """Every line with its ending."""
        return split_lines(self.text)

    @cached_property
    def bare(self) -> list[str]:
        """Every line without its ending, nor the byte order mark of the first."""
        if self.has_returns:
            bare = [strip_ending(line) for line in self.lines]
        else:
            bare = self.text.split("\n")
            if not bare[-1]:
                bare.pop()
        if bare and bare[0].startswith(MARK):
            bare[0] = bare[0][1:]
        return bare

    @cached_property
    def joined(self) -> str:
        """The bare lines, each with a newline in front and behind."""
        if not self.text or self.has_returns:
            return "\n".join(["", *self.bare, ""])
        return "\n" + self.text.removeprefix(MARK).removesuffix("\n") + "\n"

    @cached_property
    def count(self) -> int:
        """How many lines there are."""
        return len(self.lines) if self.has_returns else _count_lines(self.text)

    @cached_property
    def ending(self) -> str:
        """The line ending that most lines have."""
        if not self.has_returns:
            return "\n"
        pairs = self.text.count("\r\n")
        singles = self.text.count("\n") - pairs
        if pairs or singles:
            return "\r\n" if pairs > singles else "\n"
        return "\r"

    @property
    def ends_in_newline(self) -> bool:
        """Whether the last line has its ending; true of an empty file."""
        return not self.text or self.text.endswith(("\n", "\r"))

    @cached_property
    def _offsets(self) -> LineOffsets:
        return LineOffsets(self.joined)

    def find_run(self, run: Sequence[str], most: int) -> list[int]:
        """Find where bare lines stand just so, at most so many times."""
        needle = "\n".join(["", *run, ""])
        starts: list[int] = []
        at = self.joined.find(needle)
        while at >= 0 and len(starts) < most:
            starts.append(self._offsets.line_at(at))
            at = self.joined.find(needle, at + 1)
        return starts

    def cut(self, start: int, end: int | None = None) -> str:
        """Cut out a range of lines, with their endings and the byte order mark of the first."""
        if self.has_returns:
            return "".join(self.lines[start:end])
        return self.text[self._find_offset(start) : None if end is None else self._find_offset(end)]

    def is_end(self, line: int) -> bool:
        """Tell whether there is no such line, counted from 0, nor any behind it."""
        if self.has_returns:
            return line >= len(self.lines)
        return self._find_offset(line) >= len(self.text)

    def _find_offset(self, line: int) -> int:
        """Answer where a line begins in a text without carriage returns."""
        if line == 0:
            return 0
        known, offset = self._offsets.find_known(line)
        if line - known > MAX_WALK:
            offset += sum(map(len, self.bare[known:line])) + line - known
            self._offsets.note(line, offset)
        else:
            offset = self._offsets.walk(offset, line - known)
        # the text lacks the newline in front, and may have a mark there
        return offset + len(MARK) if self.text.startswith(MARK) else offset

    def adopt(self, text: str) -> str:
        """Write text of the edit as this file's encoding would have it decoded."""
        if self.encoding == "latin-1":
            return _SURROGATE.sub(lambda byte: chr(ord(byte.group()) - 0xDC00), text)
        return text


def is_binary(content: bytes) -> bool:
    """Tell as git does: a NUL among the first 8,000 bytes, unless a UTF-16 mark explains it."""
    return b"\0" in content[:8000] and _decode_utf_16(content) is None


def _decode_utf_16(content: bytes) -> FileText | None:
    if not content.startswith(_BOM_16) or len(content) % 2:
        return None
    encoding = "utf-16-le" if content.startswith(b"\xff\xfe") else "utf-16-be"
    try:
        return FileText(content.decode(encoding), encoding)
    except UnicodeDecodeError:
        return None


def decode(content: bytes, path: str) -> FileText:
    """Read a file's bytes as text.

    Raises:
        PatchError: `patch.binary`.
    """
    if b"\0" in content:
        wide = _decode_utf_16(content)
        if wide is not None:
            return wide
        if is_binary(content):
            raise PatchError(PatchCode.BINARY, f"{path} is a binary file", path=path)
    try:
        return FileText(content.decode(), "utf-8")
    except UnicodeDecodeError:
        if _MULTIBYTE.search(content):
            return FileText(content.decode("utf-8", "surrogateescape"), "utf-8")
        return FileText(content.decode("latin-1"), "latin-1")


def encode(text: str, encoding: str, path: str) -> bytes:
    """Write text in a file's encoding.

    Raises:
        PatchError: `patch.encoding` for a character that the encoding lacks.
    """
    try:
        if encoding == "utf-8":
            return text.encode("utf-8", "surrogateescape")
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        raise PatchError(
            PatchCode.ENCODING,
            f"{path} is written in {encoding}, which cannot hold a character of the new text",
            path=path,
            report=f"{path} is written in {encoding}, which cannot hold "
            f"{error.object[error.start]!r}. Use characters of that encoding only.",
        ) from None
