"""The command line of everything that stands in for Azure: `python -m local <command>`.

Each command lives in a module of its own with `add_arguments(parser)` and `run(args) -> int`,
imported only when it is asked for. The table below is all that this file decides.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence

COMMANDS: dict[str, tuple[str, str]] = {
    "host": ("local.functions_host.command", "run a Python Functions app, Durable included"),
    "azure-devops": (
        "local.azure_devops.command",
        "serve an Azure DevOps over real git repositories",
    ),
    "model": ("local.model.command", "serve a scripted model over two wires"),
    "key-vault": ("local.key_vault.command", "serve a Key Vault and a managed identity"),
    "app-insights": (
        "local.app_insights.command",
        "collect telemetry as Application Insights does",
    ),
    "kql": ("local.app_insights.kql", "query what the last local run has told, in Kusto"),
    "demo": ("local.demo.command", "comment on a pull request and watch the agent answer"),
    "drill": ("local.drill.command", "lose everything in the middle of jobs, and restore it"),
    "up": ("local.demo.up", "run everything and leave it running, to comment on yourself"),
}
"""Name of a command, the module that runs it, and its one line of help."""


def build_parser(chosen: str | None) -> argparse.ArgumentParser:
    """Build the parser; only the chosen command's module is imported, the rest is help lines."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__.splitlines()[0])
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
    return int(args.run(args))


if __name__ == "__main__":
    sys.exit(main())
