"""Prints a story for people, in the order in which it happened, and as JSON for scripts."""

import os
import re
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

from local.demo.providers import STUB, Choice
from local.demo.story import Story

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

    def show_figure(self, name: str, figure: str) -> None:
        """Print a figure with its name."""
        self.say(f"  {name:<18} {figure}")

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


def show_story(printer: Printer, story: Story, choice: Choice) -> None:
    """Print each variant with its diff, the comments, and the figures."""
    for row in story.job["variants"]:
        where = f"!{row['pr_id']} {row['pr_url']}" if row["pr_id"] else row["error_code"]
        printer.head(f"Variant {row['k']} ({row['strategy']}): {row['status']}  {where}")
        printer.say(f"  branch {row['branch']}")
        printer.say(f"  {row['note']}")
        if row["repair_rounds"]:
            printer.say(f"  refused and mended before it fitted: {row['repair_rounds']} time(s)")
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
    printer.show_figure("job", f"{story.job['id']}: {story.job['status']}")
    printer.show_figure("acknowledged in", f"{story.ack_ms:.0f} ms")
    printer.show_figure("took", f"{story.job['duration_s']:.2f} s")
    printer.show_figure("Azure DevOps calls", str(story.ado_calls))
    _show_model_use(printer, story, choice)


def _show_model_use(printer: Printer, story: Story, choice: Choice) -> None:
    use = read_model_use(story, choice)
    tokens = use["tokens"]
    if choice.provider == STUB:
        printer.show_figure("model", "none was asked: the stub provider drafted, 0 tokens")
        printer.say("\nAs with a model, without an account: make demo PROVIDER=anthropic")
        return
    played = ", played by a scripted stand-in on this machine" if choice.is_scripted else ""
    printer.show_figure(
        "model", f"{use['provider']} {use['model'] or '(it made no variant)'}{played}"
    )
    rounds = sum(row["repair_rounds"] or 0 for row in story.job["variants"])
    printer.show_figure(
        "tokens",
        f"{tokens['input']:,} in, of which {tokens['cached_input']:,} from the prompt cache; "
        f"{tokens['output']:,} out; repair rounds: {rounds}",
    )
    cost = "no price is known" if use["cost_usd"] is None else f"${use['cost_usd']:.4f}"
    unreal = " at the model's price; nothing was paid" if choice.is_scripted else ""
    printer.show_figure("cost", cost + unreal)
    if story.model_calls is not None:
        counted = story.model_calls
        printer.show_figure(
            "stand-in counted",
            f"{counted['count']} calls, {counted['tokens_in']:,} tokens in, of which "
            f"{counted['tokens_cached']:,} cached: drafts, and what serves the whole job",
        )


def read_model_use(story: Story, choice: Choice) -> dict[str, Any]:
    """Answer who served, and what the variants took, as the app counted it."""
    use = story.job["model_use"] or {}
    served = use.get("models", [])
    model = ", ".join(dict.fromkeys(one["model"] for one in served)) or None
    return {
        "tokens": {
            "input": use.get("tokens_in", 0),
            "cached_input": use.get("tokens_cached", 0),
            "output": use.get("tokens_out", 0),
        },
        "cost_usd": use.get("cost_usd", 0.0),
        "provider": choice.provider,
        "model": STUB if choice.provider == STUB else model,
    }


def show_faults(printer: Printer, faults: Sequence[str]) -> None:
    """Print what is missing."""
    for fault in faults:
        printer.say(printer.paint("red", f"missing: {fault}"))


def to_plain(story: Story, choice: Choice) -> dict[str, Any]:
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
        **read_model_use(story, choice),
        "live": choice.is_live,
    }
