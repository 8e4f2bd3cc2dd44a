"""The command line of the switches: each counts in every process of the app within seconds.

Exit codes: 0 done (or planned), 1 the database or Azure DevOps does not answer, 2 wrong usage or
settings, 3 refused and nothing changed.
"""

import argparse
import json
import os
import sys
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ops.databases import open_database
from ops.identity import choose_operator, explain
from shared.ado.errors import AdoError
from shared.ado.identities import check_connection
from shared.ado.session import AdoSession
from shared.domain.clock import format_instant, read_utc_clock
from shared.domain.credentials import mask_credentials
from shared.domain.errors import StoreError
from shared.domain.switches import MAX_BRAKE, MAX_NOTE, Mode, SetSwitch, Switches, SwitchName
from shared.settings import Settings, SettingsError, read_settings
from shared.store import switches as store
from shared.store.database import Database

_MODES: Final = {"pause": Mode.PAUSED, "read-only": Mode.READ_ONLY}


class RefusedError(Exception):
    """What was asked for is not done, and nothing was changed."""


@dataclass(frozen=True, slots=True)
class _Change:
    """Switches to set, and switches to let go."""

    turned: tuple[SetSwitch, ...] = ()
    released: tuple[SwitchName, ...] = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(title="actions", dest="action", required=True)
    show = actions.add_parser("show", help="print how the switches stand")
    pause = actions.add_parser("pause", help="start no job, and tell whoever asks")
    read_only = actions.add_parser("read-only", help="write nothing to Azure DevOps; jobs wait")
    resume = actions.add_parser("resume", help="work again, after pause or read-only")
    brake = actions.add_parser("brake", help="run fewer jobs at once than the settings say")
    brake.add_argument("jobs", type=_read_jobs, metavar="N", help=f"1 to {MAX_BRAKE}")
    providers = actions.add_parser("providers", help="ask these models only, in this order")
    providers.add_argument("names", metavar="A,B", help="of those that CODE_AGENT_PROVIDER names")
    clear = actions.add_parser("clear", help="let switches go back to where they are by themselves")
    clear.add_argument(
        "switches",
        nargs="*",
        type=_read_switch,
        metavar="SWITCH",
        help="mode, brake, providers (all)",
    )
    for one in (pause, read_only, resume, brake, providers, clear):
        one.add_argument("--by", default="", metavar="ID", help="who does it (who is signed in)")
        one.add_argument("--dry-run", action="store_true", help="look, and change nothing")
    for one in (pause, read_only, brake, providers):
        one.add_argument("--note", default="", help="why; people are shown that of a mode")
    for one in (show, pause, read_only, resume, brake, providers, clear):
        one.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Show or turn; answers the exit code."""
    try:
        settings = read_settings(os.environ)
        database = open_database(settings)
        try:
            answer = _act(args, settings, database)
        finally:
            database.dispose()
    except SettingsError as error:
        return _say(str(error), 2)
    except StoreError as error:
        return _say(f"{error.message} ({error.code})", 1)
    except AdoError as error:
        return _say(f"{explain(error)} ({error.code}) Give --by ID to do without it.", 1)
    except RefusedError as error:
        return _say(str(error), 3)
    _write(args, answer)
    return 0


def _act(args: argparse.Namespace, settings: Settings, database: Database) -> dict[str, Any]:
    if args.action == "show":
        with database.read() as connection:
            return _describe(store.load(connection))
    now = read_utc_clock()
    change = _plan(args, settings, now)
    by = args.by.strip()[:64] or _find_operator(settings)
    with database.transaction() as connection:
        if not args.dry_run:
            for switch in change.turned:
                store.turn(connection, switch, by=by)
            for name in change.released:
                store.release(connection, name, by=by, at=now)
        told = {"outcome": "planned" if args.dry_run else "done", "by": by}
        if args.dry_run:
            kept = [
                one
                for one in store.load(connection)
                if one.name not in change.released
                and one.name not in {new.name for new in change.turned}
            ]
            return told | _describe([*kept, *change.turned])
        return told | _describe(store.load(connection))


def _plan(args: argparse.Namespace, settings: Settings, now: datetime) -> _Change:
    match args.action:
        case "resume":
            return _Change(released=(SwitchName.MODE,))
        case "clear":
            return _Change(released=tuple(args.switches) or tuple(SwitchName))
        case "brake":
            name, value = SwitchName.BRAKE, args.jobs
            if value > settings.max_running_jobs:
                most = settings.max_running_jobs
                raise RefusedError(f"{most} at once are the most already: that is no brake.")
        case "providers":
            name, value = SwitchName.PROVIDERS, _read_providers(args.names, settings)
        case _:
            name, value = SwitchName.MODE, str(_MODES[args.action])
    note = mask_credentials(" ".join(args.note.split()))
    if len(note) > MAX_NOTE:
        raise RefusedError(f"A note has {MAX_NOTE} characters at the most.")
    return _Change(turned=(SetSwitch(name, value, note, now),))


def _read_providers(text: str, settings: Settings) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    known = settings.models.names
    if not names or len(set(names)) < len(names) or not set(names) <= set(known):
        raise RefusedError(f"Each once, of those that are set up: {', '.join(known)}.")
    return names


def _read_jobs(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_BRAKE:
        raise argparse.ArgumentTypeError(f"1 to {MAX_BRAKE} jobs expected, not {text!r}")
    return int(text)


def _read_switch(text: str) -> SwitchName:
    try:
        return SwitchName(text)
    except ValueError:
        names = ", ".join(SwitchName)
        raise argparse.ArgumentTypeError(f"one of {names} expected, not {text!r}") from None


def _find_operator(settings: Settings) -> str:
    session = AdoSession(settings.organisation_url, choose_operator())
    try:
        return check_connection(session).id
    finally:
        session.close()


def _describe(found: list[SetSwitch]) -> dict[str, Any]:
    stand = Switches.of_set(found).to_plain()
    known = {one.name: one for one in found}
    return {
        "switches": {
            str(name): {
                "value": value,
                "since": format_instant(known[name].at) if name in known else None,
                "note": known[name].note if name in known else "",
            }
            for name, value in stand.items()
        }
    }


def _write(args: argparse.Namespace, answer: dict[str, Any]) -> None:
    if args.json:
        sys.stdout.write(json.dumps(answer, indent=2, ensure_ascii=False) + "\n")
        return
    if "outcome" in answer:
        sys.stdout.write(f"{answer['outcome']}\n")
    for name, one in answer["switches"].items():
        more = f"  since {one['since']}  {one['note']}".rstrip() if one["since"] else ""
        sys.stdout.write(f"  {name:<10} {one['value']}{more}\n")


def _say(message: str, code: int) -> int:
    sys.stderr.write(f"{message}\n")
    return code
