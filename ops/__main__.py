"""The command line of the operators: `python -m ops <command>`.

Each command lives in a module of its own with `add_arguments(parser)` and `run(args) -> int`,
imported only when it is asked for. The table below is all that this file decides.
"""

import argparse
import importlib
import logging
import sys
from collections.abc import Sequence

COMMANDS: dict[str, tuple[str, str]] = {
    "hooks": ("ops.hooks", "join the app to Azure DevOps by service hooks, and look after them"),
    "leftovers": ("ops.leftovers", "find and remove drafts of the agent's that nobody wanted"),
    "rotate": ("ops.rotate", "replace a secret without a gap"),
    "package": ("ops.package", "build the package that is deployed"),
    "smoke": ("ops.smoke", "have one side of a deployment carry out one command"),
    "burn-rate": ("ops.burn_rate", "watch the objectives after a deployment"),
    "drained": ("ops.drained", "find out whether all jobs of one app have ended"),
    "incident": ("ops.incident", "fill the template of an incident's update"),
    "doctor": ("ops.doctor", "look at everything that the app needs, and say what to do"),
    "switch": ("ops.switch", "pause, brake or steer the running app, without a deployment"),
    "backup-sent": ("ops.backup_sent", "tell operators of a backup; called by ops/backup.sh"),
    "restore": ("ops.restore", "restore a backup into a new database, and check it"),
    "rebuild": ("ops.rebuild", "bring older records up to date with Azure DevOps"),
    "capacity": (
        "ops.capacity.command",
        "find out how many jobs the app carries, and what bounds it",
    ),
    "records": ("ops.records", "export or erase a person's records; reports on the database"),
}
"""Name of a command, the module that runs it, and its one line of help."""


def build_parser(chosen: str | None) -> argparse.ArgumentParser:
    """Build the parser; only the chosen command's module is imported, the rest is help lines."""
    parser = argparse.ArgumentParser(prog="python -m ops", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(title="commands", dest="command", required=True)
    for name, (module_name, help_line) in COMMANDS.items():
        command = commands.add_parser(name, help=help_line, description=help_line)
        if name == chosen:
            module = importlib.import_module(module_name)
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    chosen = next((word for word in arguments if word in COMMANDS), None)
    args = build_parser(chosen).parse_args(arguments)
    # its list of every way to sign in that failed; the commands say in one line that nobody has
    logging.getLogger("azure.identity").setLevel(logging.CRITICAL)
    return int(args.run(args))


if __name__ == "__main__":
    sys.exit(main())
