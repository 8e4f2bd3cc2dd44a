"""Prints a story for people, in the order in which it happened, and as JSON for scripts."""

import os
import re
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

from local.demo.story import Story
from local.demo.world import Demo

_COLOURS: Final = {"bold": "1", "soft": "2", "red": "31", "green": "32", "cyan": "36"}
_HIDDEN: Final = re.compile(r"<!--.*?-->\n?", re.DOTALL)


class Printer:
    """Prints with colours where the output is a terminal that shows them."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._began = time.monotonic()

    def say(self, text: str = "") -> None:
        """Print a line."""
        if not self._quiet:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()

    def tell(self, text: str) -> None:
        """Print something that happens now, with the seconds since the beginning."""
        self.say(f"  {self.paint('soft', f'{time.monotonic() - self._began:6.2f} s')}  {text}")

    def head(self, text: str) -> None:
        """Print a heading."""
        self.say(f"\n{self.paint('bold', text)}")

    def paint(self, colour: str, text: str) -> str:
        """Colour a text."""
        return f"\033[{_COLOURS[colour]}m{text}\033[0m" if self._coloured else text

    def show_diff(self, diff: str) -> None:
        """Print a diff, coloured as git does."""
        for line in diff.splitlines():
            if line.startswith(("diff ", "index ", "--- ", "+++ ", "new file", "deleted file")):
                self.say("    " + self.paint("bold", line))
            elif line.startswith("@@"):
                self.say("    " + self.paint("cyan", line))
            else:
                colour = {"+": "green", "-": "red"}.get(line[:1])
                self.say("    " + (self.paint(colour, line) if colour else line))


def show_story(printer: Printer, demo: Demo, story: Story, *, kept: bool) -> None:
    """Print each variant with its diff, the comments, and the figures."""
    for row in story.job["variants"]:
        where = f"!{row['pr_id']} {row['pr_url']}" if row["pr_id"] else row["error_code"]
        printer.head(f"Variant {row['k']} ({row['strategy']}): {row['status']}  {where}")
        printer.say(f"  branch {row['branch']}")
        printer.say(f"  {row['note']}")
        printer.show_diff(story.diffs.get(row["k"], ""))
    printer.head("What the thread shows")
    for comment in story.comments:
        for line in _HIDDEN.sub("", comment["content"]).strip().splitlines():
            printer.say(f"  {printer.paint('soft', '│')} {line}")
        printer.say()
    latest = story.statuses[-1]
    context = f"{latest['context']['genre']}/{latest['context']['name']}"
    printer.say(f"  status {context}: {latest['state']}, {latest['description']}")
    printer.head("Figures")
    printer.say(f"  job                {story.job['id']}: {story.job['status']}")
    printer.say(f"  acknowledged in    {story.ack_ms:.0f} ms")
    printer.say(f"  took               {story.job['duration_s']:.2f} s")
    printer.say(f"  Azure DevOps calls {story.ado_calls}")
    if kept:
        printer.say(f"  files of this run  {demo.folder}")


def show_faults(printer: Printer, faults: Sequence[str]) -> None:
    """Print what is missing."""
    for fault in faults:
        printer.say(printer.paint("red", f"missing: {fault}"))


def to_plain(story: Story) -> dict[str, Any]:
    """Write the story as the JSON of `python -m local demo --json`, a contract for scripts."""
    names = ("k", "status", "branch", "pr_id", "pr_url")
    counts = ("files_changed", "lines_added", "lines_deleted", "note")
    return {
        "job": {name: story.job[name] for name in ("id", "status", "duration_s")},
        "variants": [
            {name: row[name] for name in (*names, *counts)} for row in story.job["variants"]
        ],
        "ado_calls": story.ado_calls,
        "ack_ms": round(story.ack_ms, 1),
    }
