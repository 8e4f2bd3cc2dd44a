"""Tells how Azure DevOps sees the service hooks: one that it has disabled is silent otherwise."""

from typing import Final

from shared.ado.errors import AdoError
from shared.ado.hooks import list_hooks
from shared.jobs.world import World
from shared.telemetry import metrics
from shared.telemetry.emit import emit
from shared.telemetry.events import HookHealth

WEBHOOK_PATH: Final = "/gateway/webhook/ado"
_NOBODY: Final = "none"


def watch_hooks(world: World) -> list[HookHealth]:
    """Tell of each hook that calls the app; `missing` without one, `unknown` if none is shown."""
    try:
        hooks = list_hooks(world.ado, WEBHOOK_PATH)
    except AdoError:
        events = [HookHealth(subscription=_NOBODY, status="unknown", probation_retries=0)]
    else:
        events = [
            HookHealth(
                subscription=hook.id, status=hook.status, probation_retries=hook.probation_retries
            )
            for hook in hooks
        ] or [HookHealth(subscription=_NOBODY, status="missing", probation_retries=0)]
        metrics.HOOK_HEALTH.record(sum(hook.status == "enabled" for hook in hooks))
    for event in events:
        emit(event)
    return events
