"""The command line that fills the template of an incident's update, `ops/incident_update.md`.

It prints the text and sends it to nobody. Exit codes: 0 printed, 2 wrong usage.
"""

import argparse
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Template
from typing import Final

from shared.domain.clock import parse_instant, read_utc_clock
from shared.domain.credentials import mask_credentials

SEVERITIES: Final = {
    "P0": "P0, critical: answered within 15 minutes, at any hour",
    "P1": "P1, high: answered within 1 hour, at any hour",
    "P2": "P2, medium: answered within 4 hours, in business hours",
    "P3": "P3, low: answered on the next business day",
}
"""As docs/incidents.md says."""
STATUSES: Final = ("investigating", "identified", "monitoring", "resolved")
_TEMPLATE: Final = Path(__file__).with_name("incident_update.md")
_MAX_PAUSE_MIN: Final = 24 * 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--title", required=True, help="in one line, as its readers would say it")
    parser.add_argument("--severity", required=True, choices=tuple(SEVERITIES))
    parser.add_argument("--impact", required=True, help="who cannot do what")
    parser.add_argument("--status", choices=STATUSES, default=STATUSES[0], help="%(default)s")
    parser.add_argument(
        "--started", type=_read_instant, metavar="ISO-8601", help="with a time zone (now)"
    )
    parser.add_argument("--services", default="Code Agent", help="%(default)s")
    parser.add_argument("--details", default="We are looking into it.", help="what is known")
    parser.add_argument("--next-steps", default="The next update says more.", help="who does what")
    parser.add_argument("--workaround", default="None yet.", help="what people can do meanwhile")
    parser.add_argument(
        "--next-update-min",
        type=_read_minutes,
        default=30,
        help="minutes until the next update (%(default)s)",
    )
    parser.add_argument("--json", action="store_true", help='print {"severity", …, "text"}')


def run(args: argparse.Namespace) -> int:
    """Print the filled text; answers the exit code."""
    now = read_utc_clock()
    fields = {
        "title": " ".join(args.title.split()),
        "status": args.status,
        "severity": SEVERITIES[args.severity],
        "impact": " ".join(args.impact.split()),
        "started": _write_instant(args.started or now),
        "services": args.services,
        "details": args.details,
        "next_steps": args.next_steps,
        "workaround": args.workaround,
        "closing": _close(args, now),
    }
    known = {name: mask_credentials(text) for name, text in fields.items()}
    text = Template(_TEMPLATE.read_text("utf-8")).substitute(known)
    if args.json:
        text = json.dumps({**known, "severity": args.severity, "text": text}, ensure_ascii=False)
    sys.stdout.write(text.rstrip("\n") + "\n")
    return 0


def _close(args: argparse.Namespace, now: datetime) -> str:
    if args.status == "resolved":
        return "This was the last update."
    minutes = args.next_update_min
    at = _write_instant(now + timedelta(minutes=minutes))
    return f"Next update in {minutes} minutes ({at}), or when the status changes."


def _write_instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _read_instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError:
        reason = f"an instant such as 2026-01-31T12:00Z expected, not {text!r}"
        raise argparse.ArgumentTypeError(reason) from None


def _read_minutes(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MAX_PAUSE_MIN:
        raise argparse.ArgumentTypeError(f"1 to {_MAX_PAUSE_MIN} expected, not {text!r}")
    return int(text)
