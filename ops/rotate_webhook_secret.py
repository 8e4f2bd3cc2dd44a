"""Replaces the secret of the service hooks. Not one delivery is refused.

The vault gets a second version, and the app accepts both; then the subscriptions send the new one;
then, when no delivery with the old one can be on its way any more, the old version is disabled.
"""

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from ops.rotate_hooks import knock, list_subscriptions, send_test, set_secret
from ops.rotate_steps import RefusedError, Steps, StoppedError
from ops.rotate_vault import Held, OperatorVault
from shared.ado.session import AdoSession
from shared.secrets.source import WEBHOOK_SECRET

ACCEPT_LIMIT_S: Final = 60.0
ACCEPT_POLL_S: Final = 2.5


@dataclass(frozen=True, slots=True)
class HookTerms:
    """What an operator decides about a rotation."""

    webhook_url: str
    settle_s: float
    """From the writing on: until every instance of the app has read the new secret."""
    grace_s: float
    """From the last change of a subscription on: until the old secret is retired."""
    expires_days: float


def rotate(vault: OperatorVault, session: AdoSession, terms: HookTerms, steps: Steps) -> None:
    """Rotate, or go on with a rotation that was interrupted.

    Raises:
        RefusedError: nothing was changed.
        StoppedError: a step failed; both secrets are accepted until the command is repeated.
        AdoError: as either, by whether anything was told before.
    """
    subscriptions = list_subscriptions(session, terms.webhook_url)
    if not subscriptions:
        raise RefusedError(f"No subscription calls {terms.webhook_url}.")
    known = vault.list_versions(WEBHOOK_SECRET)
    pending = known[0] if known and known[0].is_pending else None
    steps.tell(
        "found",
        f"{len(subscriptions)} subscription(s), {len(known)} enabled version(s)"
        + (", a rotation that was interrupted" if pending else ""),
        subscriptions=[one["id"] for one in subscriptions],
        resumed=pending is not None,
    )
    if steps.is_dry:
        _plan(subscriptions, known, pending, steps)
        return
    new = pending or _write(vault, terms, steps)
    value = vault.read(WEBHOOK_SECRET, new.id)
    settled_at = new.created_at.timestamp() + terms.settle_s
    steps.wait_until(settled_at, "until every instance has read the new secret")
    _check_accepted(terms.webhook_url, value, steps)
    _check_alone(vault, new)
    for subscription in subscriptions:
        set_secret(session, subscription, value)
        steps.tell("changed", f"subscription {subscription['id']}", subscription=subscription["id"])
    changed_at = time.time()
    for subscription in subscriptions:
        outcome = send_test(session, subscription)
        if outcome is False:
            raise StoppedError(f"The test of subscription {subscription['id']} was not accepted.")
        how = "sent a test that was accepted" if outcome else "cannot be tested by the service"
        steps.tell("checked", f"subscription {subscription['id']} {how}", by_service=bool(outcome))
    _check_accepted(terms.webhook_url, value, steps)
    steps.wait_until(changed_at + terms.grace_s, "until no delivery with the old one is on its way")
    _check_alone(vault, new)
    for old in vault.list_versions(WEBHOOK_SECRET)[1:]:
        vault.retire(WEBHOOK_SECRET, old.id)
        steps.tell("retired", f"version {old.id}", version=old.id)
    vault.finish(WEBHOOK_SECRET, new.id)
    steps.tell("done", "the new secret is the only one", version=new.id)


def _plan(
    subscriptions: list[dict[str, object]], known: list[Held], pending: Held | None, steps: Steps
) -> None:
    if pending is None:
        steps.tell("write", "written: a new random secret", planned=True)
    for subscription in subscriptions:
        steps.tell("change", f"changed: subscription {subscription['id']}", planned=True)
    for old in known[1:] if pending else known:
        steps.tell("retire", f"disabled: version {old.id}", planned=True)


def _write(vault: OperatorVault, terms: HookTerms, steps: Steps) -> Held:
    expires_at = datetime.now(UTC) + timedelta(days=terms.expires_days)
    made = vault.write(WEBHOOK_SECRET, secrets.token_urlsafe(32), expires_at)
    steps.tell(
        "written",
        f"version {made.id}, expires {expires_at:%Y-%m-%d}",
        version=made.id,
        expires_at=expires_at.isoformat(timespec="seconds"),
    )
    return made


def _check_accepted(url: str, value: str, steps: Steps) -> None:
    """Ask the app until it accepts; it reads the vault on demand every few seconds only."""
    limit = time.monotonic() + ACCEPT_LIMIT_S
    while not knock(url, value):
        if time.monotonic() > limit:
            raise StoppedError("The app does not accept the new secret; the old one still works.")
        time.sleep(ACCEPT_POLL_S)
    steps.tell("accepted", "the app accepts the new secret")


def _check_alone(vault: OperatorVault, new: Held) -> None:
    known = vault.list_versions(WEBHOOK_SECRET)
    if not known or known[0].id != new.id:
        raise StoppedError("Somebody else has written a version meanwhile; look before going on.")
