"""The command line of service hooks: `python -m ops hooks install|check|repair|remove`.

The operator needs "View subscriptions" and "Edit subscriptions" of the project; without a project,
of the organisation.

Exit codes: 0 done, planned or healthy, 1 unhealthy or no answer (repeat it), 2 wrong usage or
settings, 3 refused and nothing changed.
"""

import argparse
import contextlib
import json
import os
import sys
from dataclasses import dataclass, field
from typing import Any, Final

from ops import hook_subscriptions as hooks
from ops.arguments import is_safe_address
from ops.hook_subscriptions import ENABLED, REASONS, Scope, State
from ops.identity import choose_operator, explain
from ops.rotate_steps import RefusedError, StoppedError
from ops.rotate_vault import OperatorVault
from shared.ado.errors import AdoError, AdoNotFoundError
from shared.ado.session import AdoSession
from shared.secrets.environment import EnvironmentSecrets
from shared.secrets.errors import SecretMissingError
from shared.secrets.source import WEBHOOK_SECRET
from shared.settings import Settings, SettingsError, read_settings

_ROUTE: Final = "/gateway/webhook/ado"
_WHOLE: Final = Scope()


@dataclass(slots=True)
class Report:
    """What is told to people while it happens, and to scripts at the end. Never given a secret."""

    action: str
    is_dry: bool
    steps: list[dict[str, Any]] = field(default_factory=list)
    hooks: list[dict[str, Any]] = field(default_factory=list)

    def tell(self, step: str, scope: Scope, hook: str | None = None) -> None:
        """Tell of a change."""
        self.steps.append({"step": step, "scope": str(scope), "subscription": hook})
        mark = f"would be {step}" if self.is_dry and step != "unchanged" else step
        sys.stderr.write(f"{mark}: {scope}{f' ({hook})' if hook else ''}\n")
        sys.stderr.flush()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(title="actions", dest="action", required=True)
    helps = {
        "install": "subscribe to comments of pull requests; what is there already stays",
        "check": "say how Azure DevOps sees the subscriptions, and which deliveries failed",
        "repair": "enable what is on probation or disabled, with the secret of today",
        "remove": "delete the subscriptions that call the app, and no others",
    }
    for name, help_line in helps.items():
        action = actions.add_parser(name, help=help_line, description=help_line)
        action.add_argument(
            "--project",
            action="append",
            default=[],
            metavar="NAME",
            help="name or id of a project, several times for several (default: the organisation)",
        )
        action.add_argument(
            "--webhook-url", default="", help=f"what they call (CODE_AGENT_PUBLIC_URL{_ROUTE})"
        )
        action.add_argument("--json", action="store_true", help="print one object at the end")
        if name != "check":
            action.add_argument("--dry-run", action="store_true", help="look, and change nothing")


def run(args: argparse.Namespace) -> int:
    """Run one action; answers the exit code."""
    report = Report(args.action, getattr(args, "dry_run", False))
    outcome, message, code = _run(args, report)
    if message:
        sys.stderr.write(f"{message}\n")
    if args.json:
        told = {
            "action": report.action,
            "outcome": outcome,
            "message": message,
            "steps": report.steps,
            "subscriptions": report.hooks,
        }
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    return code


def _run(args: argparse.Namespace, report: Report) -> tuple[str, str, int]:
    try:
        settings = read_settings(os.environ)
        url = _choose_url(args, settings)
        session = AdoSession(settings.organisation_url, choose_operator())
        try:
            return _act(session, url, args, settings, report)
        finally:
            session.close()
    except (SettingsError, SecretMissingError) as error:
        return "refused", str(error), 2
    except RefusedError as error:
        return "refused", f"{error} Nothing was changed.", 3
    except (StoppedError, AdoError) as error:
        told = explain(error) if isinstance(error, AdoError) else str(error)
        if isinstance(error, AdoError) and error.code == "ado.forbidden" and not report.steps:
            return "refused", "You may not see or edit subscriptions there.", 3
        return "stopped", f"{told} Repeat the command to go on.", 1


def _act(
    session: AdoSession, url: str, args: argparse.Namespace, settings: Settings, report: Report
) -> tuple[str, str, int]:
    scopes = [_find_scope(session, name) for name in dict.fromkeys(args.project)]
    states = hooks.list_own(session, url, scopes)
    names = _find_names(session, scopes, states)
    match args.action:
        case "install":
            _install(session, url, scopes or [_WHOLE], states, settings, report)
        case "repair":
            if not states:
                raise RefusedError(f"No subscription calls {url}: install one.")
            _repair(session, states, names, settings, report)
        case "remove":
            _remove(session, states, names, report)
        case _:
            return _check(session, url, scopes, states, names, report)
    return ("planned" if report.is_dry else "done"), "", 0


def _install(
    session: AdoSession,
    url: str,
    scopes: list[Scope],
    states: list[State],
    settings: Settings,
    report: Report,
) -> None:
    for scope in scopes:
        known = [state for state in states if state.project_id == scope.project_id]
        if not known:
            secret = _read_secret(settings)
            created = None if report.is_dry else hooks.create(session, url, scope, secret)
            report.tell("created", scope, created)
        for state in known:
            if "secret" in state.list_differences():
                if not report.is_dry:
                    hooks.repair(session, state, _read_secret(settings))
                report.tell("repaired", scope, state.id)
            elif state.list_differences():
                if not report.is_dry:
                    hooks.update(session, state)
                report.tell("updated", scope, state.id)
            else:
                report.tell("unchanged", scope, state.id)


def _repair(
    session: AdoSession,
    states: list[State],
    names: dict[str, Scope],
    settings: Settings,
    report: Report,
) -> None:
    for state in states:
        scope = _name(state, names)
        if state.status == ENABLED and not state.list_differences():
            report.tell("unchanged", scope, state.id)
            continue
        secret = _read_secret(settings)
        if not report.is_dry:
            hooks.repair(session, state, secret)
        report.tell("repaired", scope, state.id)


def _remove(
    session: AdoSession, states: list[State], names: dict[str, Scope], report: Report
) -> None:
    for state in states:
        if not report.is_dry:
            hooks.remove(session, state)
        report.tell("removed", _name(state, names), state.id)
    if not states:
        sys.stderr.write("No subscription calls the app.\n")


def _check(
    session: AdoSession,
    url: str,
    scopes: list[Scope],
    states: list[State],
    names: dict[str, Scope],
    report: Report,
) -> tuple[str, str, int]:
    for state in states:
        failures = hooks.list_failures(session, state)
        told = {
            "subscription": state.id,
            "scope": str(_name(state, names)),
            "status": state.status,
            "reason": REASONS.get(state.status, ""),
            "differences": state.list_differences(),
            "failures": failures,
        }
        report.hooks.append(told)
        reason = f": {told['reason']}" if told["reason"] else ""
        sys.stderr.write(f"{state.status:<16} {told['scope']} ({state.id}){reason}\n")
        for name in state.list_differences():
            sys.stderr.write(f"{'':<16} {name} is not as installed\n")
        for failure in failures:
            sys.stderr.write(
                f"{'':<16} {failure['at']}: {failure['reason']}, {failure['attempts']} attempt(s)\n"
            )
    heard = {state.project_id for state in states}
    missing = [scope for scope in scopes if scope.project_id not in heard]
    if not states or missing:
        lacking = ", ".join(map(str, missing)) or "anything"
        return "unhealthy", f"No subscription calls {url} for {lacking}: install one.", 1
    if any(state.status != ENABLED or state.list_differences() for state in states):
        return "unhealthy", "Repair them: `python -m ops hooks repair`.", 1
    twice = len(states) > len(heard)
    note = "Some scopes have two subscriptions: each event comes twice." if twice else ""
    return "healthy", note, 0


def _find_names(session: AdoSession, scopes: list[Scope], states: list[State]) -> dict[str, Scope]:
    """Find what the projects of subscriptions are called; one that is not to be seen has its id."""
    names = {scope.project_id: scope for scope in scopes}
    for project_id in {state.project_id for state in states if state.project_id} - set(names):
        with contextlib.suppress(AdoNotFoundError):
            names[project_id] = hooks.find_scope(session, project_id)
    return names


def _name(state: State, names: dict[str, Scope]) -> Scope:
    return names.get(state.project_id) or Scope(state.project_id, state.project_id)


def _find_scope(session: AdoSession, name: str) -> Scope:
    try:
        return hooks.find_scope(session, name)
    except AdoNotFoundError:
        reason = f"There is no project {name!r}, or you may not see it."
    raise RefusedError(reason)


def _choose_url(args: argparse.Namespace, settings: Settings) -> str:
    url = str(args.webhook_url or (settings.public_url and settings.public_url + _ROUTE))
    if not url:
        raise SettingsError("--webhook-url or CODE_AGENT_PUBLIC_URL is needed.")
    if not is_safe_address(url):
        raise SettingsError(
            "The webhook's address: https://{host}/gateway/webhook/ado expected, as the secret goes"
            " there."
        )
    return url


def _read_secret(settings: Settings) -> str:
    """Read what the subscriptions have to send, where the app reads it."""
    if not settings.vault.url:
        return EnvironmentSecrets(os.environ).read(WEBHOOK_SECRET)
    with OperatorVault(settings.vault.url) as vault:
        known = vault.list_versions(WEBHOOK_SECRET)
        if not known:
            raise RefusedError(f"The vault has no {WEBHOOK_SECRET}.")
        return vault.read(WEBHOOK_SECRET, known[0].id)
