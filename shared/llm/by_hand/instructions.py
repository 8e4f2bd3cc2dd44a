"""Reads plain instructions, in English and in German where that is cheap, into values.

Pure: it looks at the words alone, at no file. What it does not recognise is a `Remark`: a request
that is restated where it belongs. Quoted operands are taken literally, bare ones as words.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.llm.by_hand.looks import Look, read_look


class Place(StrEnum):
    """Where a line goes."""

    START = "start"
    END = "end"
    BEFORE = "before"
    AFTER = "after"


class RemarkKind(StrEnum):
    """What kind of note is asked for."""

    COMMENT = "comment"
    DOCSTRING = "docstring"
    TODO = "todo"
    RESTATEMENT = "restatement"
    """None was asked for: the request itself, put where it belongs."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A piece of text that an instruction names."""

    text: str
    is_quoted: bool


@dataclass(frozen=True, slots=True)
class Replace:
    """Every occurrence of a text becomes another one."""

    old: Operand
    new: Operand
    file: str | None
    everywhere: bool = False
    """In each file that has it: an identifier was renamed, or all files were meant."""


@dataclass(frozen=True, slots=True)
class InsertLine:
    """A line is added."""

    text: str
    place: Place
    anchor: Operand | int | None
    """The text of a line or its number; None with START and END."""
    file: str | None


@dataclass(frozen=True, slots=True)
class CreateFile:
    """A file is created."""

    file: str
    content: str | None
    """None: the request names no content."""


@dataclass(frozen=True, slots=True)
class DeleteFile:
    """A file is deleted."""

    file: str


@dataclass(frozen=True, slots=True)
class MoveFile:
    """A file gets another path."""

    file: str
    target: str
    keeps_folder: bool
    """A bare new name means the same folder."""


@dataclass(frozen=True, slots=True)
class RenameWord:
    """A file or an identifier gets another name: the repository says which."""

    old: Operand
    new: Operand
    file: str | None


@dataclass(frozen=True, slots=True)
class RemoveText:
    """Every occurrence of a text goes away."""

    text: Operand
    file: str | None
    whole_lines: bool


@dataclass(frozen=True, slots=True)
class Restyle:
    """Some elements of a page are to look different."""

    look: Look
    file: str | None


@dataclass(frozen=True, slots=True)
class Remark:
    """A note in the file's own syntax."""

    kind: RemarkKind
    text: str
    file: str | None


Instruction = (
    Replace
    | InsertLine
    | CreateFile
    | DeleteFile
    | MoveFile
    | RenameWord
    | RemoveText
    | Restyle
    | Remark
)

_FENCE: Final = re.compile(
    r"^[ \t]*(`{3,}|~{3,})[^\n`]*\n(.*?)^[ \t]*\1[ \t]*$", re.MULTILINE | re.DOTALL
)
_QUOTE: Final = re.compile(
    r"``(?P<double>[^\n]+?)``|`(?P<code>[^`\n]+)`"
    r'|(?<!\w)"(?P<straight>[^"\n]*)"(?!\w)'
    r"|(?<!\w)'(?P<single>[^'\n]*)'(?!\w)"
    r"|[“„](?P<curly>[^”“\n]*)[”“]|«(?P<angle>[^»\n]*)»|[‘‚](?P<low>[^’‘\n]*)[’‘]"  # noqa: RUF001 (the very quotation marks)
)
_MARK: Final = re.compile("\0([0-9]+)\0")

_FILE: Final = (
    r"(?:(?:the|die|der|das|dem)\s+)?(?:(?:file|datei)\s+)?"
    r"(?P<{name}>\0[0-9]+\0|[^\s,;:\0]*[./][^\s,;:\0]*[\w\])]|\.\w[\w.-]*"
    r"|Dockerfile|Makefile|README|LICENSE|CHANGELOG)"
)
_IN_FILE: Final = (
    r"(?:\s+(?:in|inside|within|of|from|to|aus|von)\s+(?:"
    r"(?P<all>(?:all|every|allen|jeder)\s+(?:files?|dateien|datei))|"
    + _FILE.format(name="file")
    + r"))?"
)
_POLITE: Final = r"^(?:(?:please|bitte|now|just|kindly|can you|could you)\s+)*"
_END: Final = r"[\s.!]*$"
_ARTICLE: Final = (
    r"(?:(?:all|every|each|alle|jedes|jeden)\s+)?(?:(?:the|das|den|die)\s+)?"
    r"(?:(?:occurrences?\s+of|word|text|string|phrase|line|wort|zeile)\s+)?"
)


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(_POLITE + pattern + _END, re.IGNORECASE | re.DOTALL)


_LEADING_FILE = re.compile(
    _POLITE + r"in\s+" + _FILE.format(name="file") + r"\s*[,:]?\s+(?P<rest>\S.*)$",
    re.IGNORECASE | re.DOTALL,
)
_MIDDLE_FILE = _compile(
    r"(?:replace|change|set|swap|update)\s+"
    + _ARTICLE
    + r"(?P<old>\S.*?)\s+in\s+"
    + _FILE.format(name="file")
    + r"\s+(?:with|by|to|into|for)\s+(?P<new>\S.*?)"
)
_REPLACE = (
    _compile(
        r"(?:replace|change|swap|substitute|switch|turn|update)\s+"
        + _ARTICLE
        + r"(?P<old>\S.*?)\s+(?:with|by|to|for|into)\s+(?P<new>\S.*?)"
        + _IN_FILE
    ),
    _compile(
        r"(?:ersetze?|ändere?|tausche?)\s+"
        + _ARTICLE
        + r"(?P<old>\S.*?)\s+(?:durch|in|zu|mit|gegen|auf)\s+(?P<new>\S.*?)"
        + _IN_FILE
        + r"(?:\s+aus)?"
    ),
)
_RENAME = (
    _compile(
        r"rename\s+(?:(?:the|all)\s+)?(?:(?:file|function|class|variable|method|identifier)\s+)?"
        r"(?P<old>\S+|\0[0-9]+\0)\s+(?:to|into|as)\s+(?P<new>\S+?)" + _IN_FILE
    ),
    _compile(
        r"benenne\s+(?:(?:die|den|das)\s+)?(?:(?:datei|funktion|klasse|variable|methode)\s+)?"
        r"(?P<old>\S+)\s+(?:in|zu)\s+(?P<new>\S+?)(?:\s+um)?" + _IN_FILE + r"(?:\s+um)?"
    ),
)
_MOVE = (
    _compile(r"move\s+" + _FILE.format(name="old") + r"\s+(?:to|into)\s+(?P<new>\S+?)"),
    _compile(r"verschiebe\s+" + _FILE.format(name="old") + r"\s+(?:nach|in)\s+(?P<new>\S+?)"),
)
_DELETE = (
    _compile(r"(?:delete|remove|drop)\s+" + _FILE.format(name="old")),
    _compile(r"(?:lösche?|entferne?)\s+" + _FILE.format(name="old")),
)
_CREATE = (
    _compile(
        r"(?:create|add|write|make)\s+(?:an?\s+|the\s+)?(?:new\s+)?(?:empty\s+)?(?:file\s+)?(?:named\s+|called\s+)?"
        + _FILE.format(name="old")
        + r"(?:[\s,:]+(?:(?:with|containing|that\s+contains|that\s+says|saying)\s+)?"
        r"(?:the\s+)?(?:content|contents|text)?\s*:?\s*(?P<new>\S.*?))?"
    ),
    _compile(
        r"(?:erstelle?|erzeuge?|lege?|schreibe?)\s+(?:eine\s+)?(?:neue\s+)?(?:datei\s+)?"
        + _FILE.format(name="old")
        + r"(?:\s+an)?(?:[\s,:]+(?:mit\s+)?(?:dem\s+)?(?:inhalt|text)?\s*:?\s*"
        + r"(?P<new>\S.*?))?(?:\s+an)?"
    ),
)
_LINE_ANCHOR = r"(?:(?:the\s+)?(?:line|zeile)\s+)?(?P<anchor>\0[0-9]+\0|[0-9]{1,7})"
_LINE_WORD = r"(?:(?:an?|the|die|eine)\s+)?(?:(?:line|zeile|text)\s+)?"
_INSERT = (
    _compile(
        r"(?:insert|add|append|prepend|put)\s+"
        + _LINE_WORD
        + r"(?P<new>\0[0-9]+\0)\s+(?P<place>after|before|above|below)\s+"
        + _LINE_ANCHOR
        + _IN_FILE
    ),
    _compile(
        r"(?P<verb>insert|add|append|prepend|put)\s+" + _LINE_WORD + r"(?P<new>\0[0-9]+\0|\S.*?)\s+"
        r"(?:(?:(?:at|to|on)\s+)?(?:the\s+)?(?P<place>start|top|beginning|end|bottom)\s+of|to|in|into|at)\s+"
        + _FILE.format(name="file")
    ),
    _compile(
        r"(?P<verb>insert|add|append|prepend)\s+(?:(?:an?|the)\s+)?(?:line\s+)?(?P<new>\0[0-9]+\0)"
    ),
    _compile(
        r"füge?\s+"
        + _LINE_WORD
        + r"(?P<new>\0[0-9]+\0)\s+(?P<place>nach|vor)\s+(?:der\s+)?"
        + _LINE_ANCHOR
        + _IN_FILE
        + r"(?:\s+(?:ein|hinzu|an))?"
    ),
    _compile(
        r"füge?\s+"
        + _LINE_WORD
        + r"(?P<new>\0[0-9]+\0|\S.*?)\s+(?:am\s+(?P<place>ende|anfang)\s+)?(?:von|in|zu|an)\s+"
        + _FILE.format(name="file")
        + r"(?:\s+(?:ein|hinzu|an))?"
    ),
)
_REMOVE_TEXT = (
    _compile(
        r"(?:remove|delete|drop)\s+(?P<line>(?:all\s+|the\s+|every\s+)?lines?\s+(?:with\s+|containing\s+)?)?"
        r"(?P<old>\0[0-9]+\0)" + _IN_FILE
    ),
    _compile(
        r"(?:entferne?|lösche?)\s+(?P<line>(?:alle\s+|die\s+)?zeilen?\s+(?:mit\s+)?)?(?P<old>\0[0-9]+\0)"
        + _IN_FILE
    ),
)
_REMARK = (
    _compile(
        r"(?:add|write|insert|put|leave)\s+(?:an?\s+|the\s+|some\s+)?(?:short\s+)?"
        r"(?P<kind>comment|docstring|todo|note)s?"
        r"(?:\s+(?:saying|that\s+says|with|about|that|to|on|for|which\s+says))?[\s:]+(?P<new>\S.*?)"
        + _IN_FILE
    ),
    _compile(
        r"(?:füge?|schreibe?|ergänze?)\s+(?:eine?n?\s+)?(?P<kind>kommentar|docstring|todo|hinweis)"
        r"(?:\s+(?:mit|über|zu|für|dass))?[\s:]+(?P<new>\S.*?)"
        + _IN_FILE
        + r"(?:\s+(?:ein|hinzu))?"
    ),
)
_KINDS = {
    "comment": RemarkKind.COMMENT,
    "note": RemarkKind.COMMENT,
    "kommentar": RemarkKind.COMMENT,
    "hinweis": RemarkKind.COMMENT,
    "docstring": RemarkKind.DOCSTRING,
    "todo": RemarkKind.TODO,
}
_PLACES = {
    "start": Place.START,
    "top": Place.START,
    "beginning": Place.START,
    "anfang": Place.START,
    "end": Place.END,
    "bottom": Place.END,
    "ende": Place.END,
    "before": Place.BEFORE,
    "above": Place.BEFORE,
    "vor": Place.BEFORE,
    "after": Place.AFTER,
    "below": Place.AFTER,
    "nach": Place.AFTER,
}
_LAST_FILE = re.compile(
    r"\b(?:in|to|of|for|on)\s+" + _FILE.format(name="file") + _END, re.IGNORECASE
)
_STEP = re.compile(r"^[ \t]*(?:[-*+]|[0-9]{1,2}[.)])?[ \t]*(?=\S)")
MAX_STEPS: Final = 20


class _Reader:
    """One request with its quotations put aside, so that grammar and text do not mix."""

    def __init__(self, intent: str) -> None:
        self._quotations: list[str] = []
        text = intent.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
        text = _FENCE.sub(lambda match: self._put_aside(match[2]), text)
        text = _QUOTE.sub(
            lambda match: self._put_aside(
                next(group for group in match.groups() if group is not None)
            ),
            text,
        )
        # runs of blanks say nothing outside quotations, and would cost the patterns dearly
        self.text = re.sub(r"\s*\n\s*", "\n", re.sub(r"[^\S\n]+", " ", text)).strip()

    @property
    def has_quotations(self) -> bool:
        return bool(self._quotations)

    def _put_aside(self, quotation: str) -> str:
        self._quotations.append(quotation)
        return f"\0{len(self._quotations) - 1}\0"

    def restore(self, text: str) -> str:
        """Put the quotations back, without their quotation marks."""
        return _MARK.sub(lambda match: self._quotations[int(match[1])], text)

    def operand(self, text: str) -> Operand:
        text = text.strip()
        return Operand(self.restore(text), is_quoted=_MARK.fullmatch(text) is not None)

    def file(self, match: re.Match[str], group: str = "file") -> str | None:
        found = match.groupdict().get(group)
        return clean_path(self.restore(found)) if found else None


def clean_path(text: str) -> str:
    """Write a path as the repository has it: forward slashes, nothing before the first name."""
    path = text.strip().replace("\\", "/")
    while path.startswith(("./", "/")):
        path = path.removeprefix("./").lstrip("/")
    return path


def read_instructions(intent: str) -> list[Instruction]:
    """Read a request: one instruction, or several when every line or clause is one."""
    reader = _Reader(intent)
    whole = _read_one(reader, reader.text)
    if whole is not None and not isinstance(whole, Remark):
        return [whole]
    clauses = [_STEP.sub("", part) for part in re.split(r"\n+|;\s+", reader.text) if part.strip()]
    if 1 < len(clauses) <= MAX_STEPS:
        steps = [_read_one(reader, clause) for clause in clauses]
        if all(step is not None for step in steps):
            return [step for step in steps if step is not None]
    if whole is not None:
        return [whole]
    return [Remark(RemarkKind.RESTATEMENT, reader.restore(reader.text), _read_last_file(reader))]


def _read_last_file(reader: _Reader) -> str | None:
    match = _LAST_FILE.search(reader.text)
    return reader.file(match) if match else None


def _read_one(reader: _Reader, text: str) -> Instruction | None:
    leading = _LEADING_FILE.match(text)
    if leading:
        inner = _read_plain(reader, leading["rest"])
        file = reader.file(leading)
        if inner is not None and file is not None:
            return _in_file(inner, file)
    return _read_plain(reader, text)


def _in_file(instruction: Instruction, file: str) -> Instruction:
    from dataclasses import replace

    if isinstance(instruction, CreateFile | DeleteFile | MoveFile) or instruction.file is not None:
        return instruction
    return replace(instruction, file=file)


def _read_plain(reader: _Reader, text: str) -> Instruction | None:
    for read in (
        _read_remark,
        _read_look,
        _read_insert,
        _read_rename,
        _read_move,
        _read_replace,
        _read_delete,
        _read_create,
    ):
        instruction = read(reader, text)
        if instruction is not None:
            return instruction
    return None


def _read_look(reader: _Reader, text: str) -> Instruction | None:
    if reader.has_quotations and _MARK.search(text):
        return None
    match = _LAST_FILE.search(text)
    look = read_look(text[: match.start()] if match else text)
    return Restyle(look, reader.file(match) if match else None) if look else None


def _read_replace(reader: _Reader, text: str) -> Instruction | None:
    for pattern in (_MIDDLE_FILE, *_REPLACE):
        match = pattern.match(text)
        if match:
            return Replace(
                reader.operand(match["old"]),
                reader.operand(match["new"]),
                reader.file(match),
                everywhere=bool(match.groupdict().get("all")),
            )
    return None


def _read_rename(reader: _Reader, text: str) -> Instruction | None:
    match = _first_match(_RENAME, text)
    if match is None:
        return None
    return RenameWord(
        reader.operand(match["old"]), reader.operand(match["new"]), reader.file(match)
    )


def _read_move(reader: _Reader, text: str) -> Instruction | None:
    match = _first_match(_MOVE, text)
    if match is None:
        return None
    target = reader.restore(match["new"])
    return MoveFile(
        clean_path(reader.restore(match["old"])),
        clean_path(target)
        + ("/" if target.endswith("/") and not clean_path(target).endswith("/") else ""),
        keeps_folder=False,
    )


def _read_delete(reader: _Reader, text: str) -> Instruction | None:
    remove = _first_match(_REMOVE_TEXT, text)
    quoted_path = False
    if remove is not None:
        operand = reader.operand(remove["old"])
        quoted_path = (
            looks_like_path(operand.text) and not remove["line"] and not reader.file(remove)
        )
        if not quoted_path:
            return RemoveText(operand, reader.file(remove), whole_lines=bool(remove["line"]))
    match = _first_match(_DELETE, text)
    return DeleteFile(clean_path(reader.restore(match["old"]))) if match else None


def _read_create(reader: _Reader, text: str) -> Instruction | None:
    match = _first_match(_CREATE, text)
    if match is None:
        return None
    file = clean_path(reader.restore(match["old"]))
    if not looks_like_path(file):
        return None
    content = match["new"]
    return CreateFile(file, reader.restore(content) if content else None)


def _read_insert(reader: _Reader, text: str) -> Instruction | None:
    match = _first_match(_INSERT, text)
    if match is None:
        return None
    said = match.groupdict()
    if (
        said.get("file")
        and said["file"].startswith("\0")
        and not looks_like_path(reader.restore(said["file"]))
    ):
        return None
    place = _PLACES.get((said.get("place") or "").lower(), Place.END)
    if not said.get("place") and (said.get("verb") or "").lower() == "prepend":
        place = Place.START
    anchor: Operand | int | None = None
    if said.get("anchor"):
        operand = reader.operand(match["anchor"])
        anchor = operand if operand.is_quoted else int(operand.text)
    return InsertLine(reader.restore(match["new"]).strip("\n"), place, anchor, reader.file(match))


def _read_remark(reader: _Reader, text: str) -> Instruction | None:
    match = _first_match(_REMARK, text)
    if match is None:
        return None
    return Remark(_KINDS[match["kind"].lower()], reader.restore(match["new"]), reader.file(match))


def _first_match(patterns: tuple[re.Pattern[str], ...], text: str) -> re.Match[str] | None:
    return next((match for pattern in patterns if (match := pattern.match(text))), None)


def looks_like_path(text: str) -> bool:
    """Answer whether a word can be meant as a file: it has a slash, a suffix or a known name."""
    name = text.strip()
    if not name or len(name) > 400 or "\n" in name:
        return False
    return (
        "/" in name.strip("/")
        or re.fullmatch(r"\.?[^\s./][^\s/]*\.[A-Za-z][A-Za-z0-9]{0,9}|\.[a-z][\w.-]+", name)
        is not None
        or name in {"Dockerfile", "Makefile", "README", "LICENSE", "CHANGELOG"}
    )
