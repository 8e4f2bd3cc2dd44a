"""Tells of secrets that expire soon, once a day: so long before, somebody can rotate them."""

from shared.domain.errors import CodeAgentError
from shared.jobs.world import World
from shared.telemetry.emit import emit
from shared.telemetry.events import SecretExpiresSoon

DAY_S = 86_400.0


def watch_secrets(world: World) -> int:
    """Tell of each secret in use that expires within the days of the settings; answers how many.

    An expired secret stays in use: its date is a reminder, and only who issued it can end it.

    Raises:
        CodeAgentError: the last failure, when a secret could not be read; the others are looked at.
    """
    told = 0
    failure: CodeAgentError | None = None
    for name in world.list_expiring():
        try:
            expires_at = world.secrets.find_expiry(name)
        except CodeAgentError as error:
            failure = error
            continue
        if expires_at is None:
            continue
        days_left = (expires_at - world.clock()).total_seconds() / DAY_S
        if days_left < world.settings.vault.expiry_days:
            emit(SecretExpiresSoon(secret=name, days_left=round(days_left, 1)))
            told += 1
    if failure is not None:
        raise failure
    return told
