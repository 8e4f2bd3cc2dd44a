"""The table of contents of the doctor: what is looked at, and what to do where it is not well."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from shared.ado.session import AdoSession
from shared.doctor import ado, own
from shared.doctor.report import DEADLINE_S, Check, Finding, examine
from shared.jobs.world import World

ANSWERS_FOR: Final[Mapping[str, str]] = {
    "ado.unauthenticated": "ado_credential",
    "ado.unavailable": "ado_credential",
    "ado.outage": "ado_credential",
    "ado.rate_limited": "ado_quota",
    "secrets": "secrets",
    "store.refused": "migrations",
    "store": "database",
}
"""Codes of errors, or their areas, and the line that answers for them."""


def examine_app(
    world: World,
    look_at_task_hub: Callable[[], str],
    *,
    look_at_telemetry: Callable[[], str] | None = None,
    viewer: AdoSession | None = None,
    asks_models: bool = False,
    deadline_s: float = DEADLINE_S,
) -> list[Finding]:
    """Look at everything; answers what was found.

    `look_at_telemetry` asks where records arrive, where somebody may; the app itself may only send.
    `viewer` is whoever looks at service hooks, where that is not the agent. Models are asked only
    on demand: that costs.
    """
    of_world: dict[str, tuple[Callable[[World], str], str]] = {
        "ado_credential": (
            ado.check_credential,
            "Renew it: python -m ops rotate ado-pat; is Azure DevOps up? status.dev.azure.com",
        ),
        "ado_rights": (
            ado.check_rights,
            "Give the agent Read, Contribute, Create branch and Contribute to pull requests there.",
        ),
        "hook": (
            partial(ado.check_hook, viewer=viewer),
            "python -m ops hooks check, then repair or install; docs/hooks.md.",
        ),
        "ado_quota": (
            ado.check_quota,
            "Run fewer jobs at once: python -m ops switch brake N; who else uses the identity?",
        ),
        "clock": (ado.check_clock, "Let the host set its clock (NTP)."),
        "secrets": (
            own.check_secrets,
            "Look whether the vault is up and the app's identity may read it; docs/security.md.",
        ),
        "secret_expiry": (
            own.check_expiry,
            "Rotate it: python -m ops rotate webhook-secret or ado-pat; docs/security.md.",
        ),
        "database": (
            own.check_database,
            "Look at the server and its connections; docs/records.md.",
        ),
        "migrations": (
            own.check_migrations,
            "python -m ops records migrate, or restart the app; docs/records.md.",
        ),
        "switches": (
            own.check_switches,
            "python -m ops switch resume, or clear; docs/switches.md.",
        ),
        "disk": (own.check_disk, "Free the disk, or lower CODE_AGENT_SNAPSHOT_MAX_BYTES."),
        "telemetry": (
            (lambda _: look_at_telemetry()) if look_at_telemetry else own.check_telemetry,
            "Set APPLICATIONINSIGHTS_CONNECTION_STRING; docs/observability.md.",
        ),
        "canary": (
            own.check_canary,
            "Open its job's page, then the lines above; docs/incidents.md.",
        ),
    }
    checks = [Check(name, partial(look, world), do) for name, (look, do) in of_world.items()]
    hub = Check("task_hub", look_at_task_hub, "Look at the host and its storage, then its logs.")
    checks += [hub, *own.list_model_checks(world, asks=asks_models)]
    return examine(checks, ANSWERS_FOR, deadline_s=deadline_s)
