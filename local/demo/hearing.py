"""What a conversation tells whoever plays the model: the task, and what was seen of the repository.

Read from the words alone, over either wire, as a model has to. Only what stands behind the data
marks is the task; whatever stands between them is the repository.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from local.model.script import PlainCall, PlainConversation

SEARCH: Final = "search"
READ: Final = "read_file"
SUBMIT: Final = "submit_edits"
_MARK: Final = re.compile(r"`<(data-[^>`\n]+)>`")
_VARIANT: Final = re.compile(r"This is variant (\d+) of \d+")
_FOUND: Final = re.compile(r"^(?P<path>.+?):\d+: ")
_NUMBERED: Final = re.compile(r"^ *(?P<number>\d+) (?P<line>.*)$")


@dataclass(slots=True)
class Heard:
    """The task, and everything seen so far."""

    command: str
    approach: str
    """What is said of this variant's own way."""
    variant: int
    is_survey: bool
    """Whether there is only to be looked around, for all variants."""
    paths: tuple[str, ...]
    """Of the repository, as far as they were listed."""
    shown: Mapping[str, list[str]]
    """Files shown at the beginning, by their lines."""
    read: dict[str, list[str]] = field(default_factory=dict)
    """Files read since; what could not be read is empty."""
    found: list[str] | None = None
    """Paths that a search named; None before the first search."""
    submitted: int = 0

    def get_lines(self, path: str) -> list[str]:
        """Answer a file's lines, as last seen."""
        return self.read.get(path) or self.shown.get(path, [])


def hear(said: PlainConversation) -> Heard:
    """Read a conversation about a change."""
    opening = "\n".join(said.messages[0].texts)
    mark = _MARK.search(opening)
    end = f"</{mark.group(1)}>" if mark else ""
    data, _, task = opening.rpartition(end) if end else ("", "", opening)
    # after a survey, a variant's own request comes later
    task = "\n".join((task, *(text for message in said.messages[1:] for text in message.texts)))
    command = task.partition("# The command")[2].partition("\n# ")[0]
    variant = task.partition("# Your variant")[2]
    number = _VARIANT.search(variant)
    heard = Heard(
        command=command.strip(),
        approach=variant.partition("The other variants:")[0],
        variant=int(number.group(1)) if number else 1,
        is_survey="# Your variant" not in task,
        paths=tuple(_list_paths(data)),
        shown=_read_shown(data),
    )
    _hear_answers(said, heard)
    return heard


def read_arguments(call: PlainCall) -> Mapping[str, Any]:
    """Decode the arguments of an earlier call; nothing where they are no object."""
    try:
        arguments = json.loads(call.arguments)
    except ValueError:
        return {}
    return arguments if isinstance(arguments, dict) else {}


def _hear_answers(said: PlainConversation, heard: Heard) -> None:
    asked: dict[str, PlainCall] = {}
    for message in said.messages:
        for call in message.calls:
            asked[call.id] = call
            heard.submitted += call.name == SUBMIT
        for call_id, text, _ in message.results:
            call = asked[call_id]
            if call.name == SEARCH:
                named = (_FOUND.match(line) for line in text.splitlines())
                new = [match["path"] for match in named if match]
                heard.found = list(dict.fromkeys([*(heard.found or ()), *new]))
            elif call.name == READ:
                heard.read[str(read_arguments(call).get("path"))] = _read_numbered(text)


def _list_paths(data: str) -> Iterator[str]:
    _, _, listed = data.partition("# Files of the repository\n")
    for line in listed.splitlines():
        if not line or line.startswith("#"):
            return
        if not line.startswith(("…", "(")):
            yield line


def _read_shown(data: str) -> dict[str, list[str]]:
    """Read the files that are shown whole: lines have numbers, headings have none."""
    _, _, listed = data.partition("# Files of the repository\n")
    files = {}
    for block in listed.split("\n# ")[1:]:
        heading, _, text = block.partition("\n")
        if not heading.endswith(" (signatures and excerpts)"):
            files[heading] = _read_numbered(text)
    return files


def _read_numbered(text: str) -> list[str]:
    lines = (_NUMBERED.match(line) for line in text.split("\n"))
    return [match["line"] for match in lines if match]
