"""The command line of rotations: `python -m ops rotate webhook-secret|ado-pat`.

Exit codes: 0 done (or planned), 1 stopped on the way (repeat it), 2 wrong usage or settings,
3 refused and nothing changed, 130 interrupted (repeat it).
"""

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import Final

from ops import rotate_ado_pat, rotate_webhook_secret
from ops.arguments import read_duration, read_positive
from ops.identity import choose_operator, explain
from ops.rotate_steps import RefusedError, Steps, StoppedError
from ops.rotate_vault import OperatorVault
from shared.ado.errors import AdoError
from shared.ado.session import AdoSession
from shared.settings import Settings, SettingsError, read_settings

MARGIN_S: Final = 30.0
"""Beyond the app's time to live: clocks differ, and a read takes time."""
GRACE_S: Final = 240.0
"""A delivery that fails is sent again for 183 s.
Source: https://learn.microsoft.com/azure/devops/service-hooks/troubleshoot"""
_ROUTE: Final = "/gateway/webhook/ado"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    secrets = parser.add_subparsers(title="secrets", dest="secret", required=True)
    hook = secrets.add_parser("webhook-secret", help="what the service hooks send")
    hook.add_argument(
        "--webhook-url", default="", help=f"what they call (CODE_AGENT_PUBLIC_URL{_ROUTE})"
    )
    hook.add_argument(
        "--grace-s",
        type=read_duration,
        default=GRACE_S,
        help="seconds the old one stays (%(default)s)",
    )
    token = secrets.add_parser("ado-pat", help="the agent's personal access token")
    token.add_argument(
        "--file", type=Path, help="file with the new token; without it, the standard input"
    )
    token.add_argument("--other-identity", action="store_true", help="let it be somebody else's")
    for one, days in ((hook, 90), (token, 60)):
        one.add_argument(
            "--expires-days",
            type=read_positive,
            default=days,
            help="until it expires (%(default)s)",
        )
        one.add_argument(
            "--settle-s",
            type=read_duration,
            help="seconds until every instance has read it (CODE_AGENT_SECRET_TTL_S and some)",
        )
        one.add_argument("--dry-run", action="store_true", help="look, and change nothing")
        one.add_argument("--json", action="store_true", help="print one object at the end")


def run(args: argparse.Namespace) -> int:
    """Rotate; answers the exit code."""
    steps = Steps(args.secret, args.dry_run)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        outcome, message, code = _run(args, steps)
    except KeyboardInterrupt:
        outcome, code = "interrupted", 130
        message = "Interrupted: both values are good. The same command goes on from here."
    finally:
        signal.signal(signal.SIGTERM, before)
    if message:
        sys.stderr.write(f"{message}\n")
    if args.json:
        steps.write_json(outcome, message)
    return code


def _run(args: argparse.Namespace, steps: Steps) -> tuple[str, str, int]:
    try:
        settings = read_settings(os.environ)
        if not settings.vault.url:
            return "refused", "CODE_AGENT_KEY_VAULT_URL is not set.", 2
        with OperatorVault(settings.vault.url) as vault:
            if args.secret == "ado-pat":  # noqa: S105 - the name of a secret
                _rotate_token(args, settings, vault, steps)
            else:
                _rotate_hooks(args, settings, vault, steps)
    except (SettingsError, OSError, UnicodeDecodeError) as error:
        return "refused", str(error), 2
    except RefusedError as error:
        return "refused", f"{error} Nothing was changed.", 3
    except (StoppedError, AdoError) as error:
        told = explain(error) if isinstance(error, AdoError) else str(error)
        return "stopped", f"{told} Repeat the command to go on.", 1
    return ("planned" if args.dry_run else "done"), "", 0


def _rotate_token(
    args: argparse.Namespace, settings: Settings, vault: OperatorVault, steps: Steps
) -> None:
    raw = args.file.read_text("utf-8") if args.file else sys.stdin.read()
    token = raw.strip()
    if not token.isascii() or not token.isprintable() or not token or " " in token:
        raise RefusedError("What was read is no token.")
    terms = rotate_ado_pat.TokenTerms(
        settings.organisation_url,
        settings.public_url,
        _choose_settle(args, settings),
        args.expires_days,
        args.other_identity,
    )
    rotate_ado_pat.rotate(vault, token, terms, steps)


def _rotate_hooks(
    args: argparse.Namespace, settings: Settings, vault: OperatorVault, steps: Steps
) -> None:
    url = args.webhook_url or (settings.public_url and settings.public_url + _ROUTE)
    if not url:
        raise RefusedError("--webhook-url or CODE_AGENT_PUBLIC_URL is needed.")
    terms = rotate_webhook_secret.HookTerms(
        url, _choose_settle(args, settings), args.grace_s, args.expires_days
    )
    session = AdoSession(settings.organisation_url, choose_operator())
    try:
        rotate_webhook_secret.rotate(vault, session, terms, steps)
    finally:
        session.close()


def _choose_settle(args: argparse.Namespace, settings: Settings) -> float:
    if args.settle_s is not None:
        return float(args.settle_s)
    return settings.vault.ttl_s + MARGIN_S
