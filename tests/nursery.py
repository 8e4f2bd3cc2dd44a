"""Forks programs of this repository from a process in which their imports are done.

A host that is started as a process spends a second on imports; a fork of one that has imported
everything starts in some milliseconds, and does the same. The nursery is a process with one thread;
it speaks one JSON object a line on standard input and output:

    {"run": "module:function", "arguments": {…}, "environment": {…}, "log": file}  →  {"pid"}
    {"poll": pid}  →  {"exitcode": null, or as of `multiprocessing.Process`}
"""

import atexit
import functools
import gc
import importlib
import json
import multiprocessing
import os
import pkgutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from multiprocessing.context import ForkProcess

REPOSITORY: Final = Path(__file__).resolve().parents[1]
APP: Final = (
    *("activities", "orchestrators", "orchestrators.client"),
    *("shared.gateway.doctor", "shared.gateway.pages", "shared.gateway.webhook"),
    *("local.__main__", "local.functions_host.command", "shared.telemetry.exporting"),
    *("alembic.command", "jinja2", "mako.template", "pygments", "tree_sitter_css"),
    *("shared.llm.stub", "shared.secrets.choose", "shared.secrets.environment"),
    *("shared.store.database", "tree_sitter_html", "tree_sitter_javascript"),
)
"""What every app imports at its start or when a step first needs it, beside the steps."""
BY_SETTING: Final = {
    "anthropic": ("anthropic", "shared.llm.chat.anthropic_messages"),
    "openai": ("openai", "shared.llm.chat.openai_responses", "shared.llm.chat.openai_completions"),
    "postgresql": ("psycopg", "sqlalchemy.dialects.postgresql.psycopg"),
    "InstrumentationKey": ("azure.monitor.opentelemetry",),
}
"""What an app imports only where a setting has this word."""


class Program:
    """A forked program, with the words of `subprocess.Popen`."""

    def __init__(self, nursery: "Nursery", pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        """As of `Popen`: negative when a signal has ended it."""
        self._nursery = nursery

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._nursery.ask({"poll": self.pid})["exitcode"]
        return self.returncode

    def wait(self, timeout: float = 15.0) -> int:
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            assert time.monotonic() < deadline, "the program has not ended"
            time.sleep(0.005)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


class Nursery:
    """The process that forks."""

    @classmethod
    @functools.cache
    def of_this_process(cls) -> "Nursery":
        """Start it when it is first needed; it ends with this process."""
        nursery = cls()
        atexit.register(nursery.close)
        return nursery

    def __init__(self) -> None:
        self._one_at_a_time = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.nursery"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(
        self, run: str, arguments: Mapping[str, Any], environment: Mapping[str, str], log: Path
    ) -> Program:
        """Start `module:function` with arguments; what it writes is added to the log."""
        order = {
            "run": run,
            "arguments": dict(arguments),
            "environment": dict(environment),
            "log": str(log),
        }
        return Program(self, int(self.ask(order)["pid"]))

    def ask(self, order: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._one_at_a_time:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        self._process.communicate(timeout=10)


def main() -> int:
    import_app()
    gc.freeze()  # what all have is not looked at, and so copied, by the collector of each
    programs: dict[int, ForkProcess] = {}
    for line in sys.stdin:
        order = json.loads(line)
        if "poll" in order:
            answer = {"exitcode": programs[order["poll"]].exitcode}
        else:
            import_for(order["environment"])
            program = multiprocessing.get_context("fork").Process(target=become, args=(order,))
            program.start()
            programs[program.pid or 0] = program
            answer = {"pid": program.pid}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    for program in programs.values():
        program.kill()  # unless its test has stopped it
    return 0


def import_app() -> None:
    import shared.jobs
    from shared.comments.render import CommentWriter
    from shared.policy.secret_scan import find_secrets

    steps = (step.name for step in pkgutil.iter_modules(shared.jobs.__path__, "shared.jobs."))
    for name in (*steps, *APP):
        importlib.import_module(name)
    find_secrets("")  # loads the forms that it knows
    templates = CommentWriter("en")._environment
    for name in templates.list_templates():
        templates.get_template(name)


def import_for(environment: Mapping[str, str]) -> None:
    said = " ".join(environment.values())
    for word, names in BY_SETTING.items():
        if word in said:
            for name in names:
                importlib.import_module(name)


def become(order: Mapping[str, Any]) -> NoReturn:
    """Be the program that is asked for, in the child."""
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, stream in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, stream)
    os.environ.clear()
    os.environ.update(order["environment"])
    module, _, name = order["run"].partition(":")
    sys.exit(getattr(importlib.import_module(module), name)(**order["arguments"]))


if __name__ == "__main__":
    sys.exit(main())
