"""The command line that brings records which are older than the world up to date with it.

After a restore, or on an empty database: jobs that have ended since get their end from their final
reply, jobs that were at work are released from the task hub that is gone, and every effect that
they may have had is marked as one to look for first. Run it before the app is started again. Safe
to repeat.

Exit codes: 0 done (or planned), 1 the database or Azure DevOps does not answer, 2 wrong usage or
settings, 3 refused and nothing changed.
"""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ops.databases import open_database
from ops.evidence import Evidence, Looked, list_evidence
from ops.identity import choose_operator, explain
from ops.rebuilding import Rebuilding
from shared.ado.errors import AdoError, AdoNotFoundError
from shared.ado.identities import find_people
from shared.ado.session import AdoSession
from shared.domain.clock import format_instant, read_utc_clock
from shared.domain.errors import StoreError
from shared.settings import Settings, SettingsError, read_settings
from shared.settings.recovery import Place
from shared.store.database import Database

_TELL_EVERY: Final = 25
"""Pull requests, then commands, between two lines of progress."""


class RefusedError(Exception):
    """What was asked for is not done, and nothing was changed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--agent", required=True, metavar="NAME", help="unique name of the agent's account"
    )
    parser.add_argument(
        "--place",
        action="append",
        type=_read_place,
        metavar="PROJECT[/REPOSITORY]",
        help="where commands were written (CODE_AGENT_RECOVERY_PLACES)",
    )
    parser.add_argument(
        "--since",
        type=_read_instant,
        metavar="INSTANT",
        help="look at commands written since, such as 2026-01-31T12:00Z (CODE_AGENT_RECOVERY_DAYS)",
    )
    parser.add_argument("--dry-run", action="store_true", help="look, and change nothing")
    parser.add_argument("--json", action="store_true", help="print one object at the end")


def run(args: argparse.Namespace) -> int:
    """Rebuild; answers the exit code."""
    report: dict[str, Any] = {}
    try:
        settings = read_settings(os.environ)
        places = args.place or settings.recovery.places
        if not places:
            return _say("--place, or CODE_AGENT_RECOVERY_PLACES: where to look is not said", 2)
        database = open_database(settings)
        session = AdoSession(settings.organisation_url, choose_operator())
        try:
            report = _rebuild(args, settings, places, database, session)
        finally:
            session.close()
            database.dispose()
    except SettingsError as error:
        return _say(str(error), 2)
    except RefusedError as error:
        return _say(str(error), 3)
    except StoreError as error:
        return _say(f"{error.message} ({error.code}) Repeat the command to go on.", 1)
    except AdoError as error:
        return _say(f"{explain(error)} ({error.code}) Repeat the command to go on.", 1)
    if args.json:
        sys.stdout.write(json.dumps(report) + "\n")
    else:
        sys.stdout.writelines(f"{value!s:>8}  {name}\n" for name, value in report.items())
    return 0


def _rebuild(
    args: argparse.Namespace,
    settings: Settings,
    places: Sequence[Place],
    database: Database,
    session: AdoSession,
) -> dict[str, Any]:
    now = read_utc_clock()
    since = args.since or now - timedelta(days=settings.recovery.days)
    agents = find_people(session, args.agent)
    if len(agents) != 1:
        raise RefusedError(f"Azure DevOps knows {len(agents)} accounts by the name of the agent.")
    looked = Looked(tell=_tell_of_look)
    found: list[Evidence] = []
    for place in places:
        with _named(place):
            found += list_evidence(
                session, settings.organisation, place, agents[0].id, since, looked
            )
    rebuilding = Rebuilding(settings, database, read_utc_clock, is_dry=args.dry_run)
    done = _write(rebuilding, found)
    rebuilding.release(places, since)
    return {
        "outcome": "planned" if args.dry_run else "done",
        "pull_requests": looked.pull_requests,
        "commands": len(found),
        **{str(name): done[name] for name in sorted(done)},
        "released": rebuilding.released,
        "orphans": looked.orphans,
        "since": format_instant(since),
    }


@contextmanager
def _named(place: Place) -> Iterator[None]:
    try:
        yield
    except AdoNotFoundError:
        told = "/".join(filter(None, (place.project, place.repository)))
    else:
        return
    raise RefusedError(f"There is no {told}, or you may not see it. Nothing was changed.")


def _tell_of_look(pull_requests: int) -> None:
    if pull_requests % _TELL_EVERY == 0:
        sys.stderr.write(f"{pull_requests} pull requests read\n")
        sys.stderr.flush()


def _write(rebuilding: Rebuilding, found: Sequence[Evidence]) -> Counter[str]:
    rebuilding.open()
    done: Counter[str] = Counter()
    for number, evidence in enumerate(found, start=1):
        done[rebuilding.write(evidence)] += 1
        if number % _TELL_EVERY == 0:
            sys.stderr.write(f"{number} of {len(found)} commands\n")
            sys.stderr.flush()
    return done


def _read_place(text: str) -> Place:
    try:
        return Place.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _read_instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("an instant such as 2026-01-31T12:00Z expected") from None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant


def _say(message: str, code: int) -> int:
    sys.stderr.write(f"{message}\n")
    return code
