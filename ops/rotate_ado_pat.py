"""Replaces the agent's personal access token with one that somebody has made for it.

The new token is tried before it is written: who it is, what it may do. Azure DevOps has no call by
which another identity could revoke the old one: whoever made it does that, when this has ended.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import requests

from ops.rotate_steps import RefusedError, Steps, StoppedError
from ops.rotate_vault import Held, OperatorVault
from shared.ado.credentials import PatCredential
from shared.ado.errors import AdoError
from shared.ado.identities import check_connection, list_group_names
from shared.ado.rights import list_rights
from shared.ado.session import AdoSession
from shared.domain.pull_request import Identity
from shared.secrets.source import ADO_PAT


@dataclass(frozen=True, slots=True)
class TokenTerms:
    """What an operator decides about a rotation."""

    organisation_url: str
    app_url: str
    """Where the gateway is; empty: the app is not asked."""
    settle_s: float
    expires_days: float
    allows_other_identity: bool


def rotate(vault: OperatorVault, token: str, terms: TokenTerms, steps: Steps) -> None:
    """Rotate, or go on with a rotation that was interrupted.

    Raises:
        RefusedError: nothing was changed.
        StoppedError: a step failed; repeat the command with the same token.
    """
    identity = _check_token(terms.organisation_url, token, steps)
    known = vault.list_versions(ADO_PAT)
    current = vault.read(ADO_PAT, known[0].id) if known else ""
    if current and current != token and not terms.allows_other_identity:
        _check_same(terms.organisation_url, current, identity)
    if steps.is_dry:
        if current != token:
            steps.tell("write", "written: the new token", planned=True)
        for old in known[1:] if current == token else known:
            steps.tell("retire", f"disabled: version {old.id}", planned=True)
        return
    new = known[0] if current == token else _write(vault, token, terms, steps)
    settled_at = new.created_at.timestamp() + terms.settle_s
    steps.wait_until(settled_at, "until every instance has read the new token")
    _check_app(terms.app_url, steps)
    newest, *others = vault.list_versions(ADO_PAT)
    if newest.id != new.id:
        raise StoppedError("Somebody else has written a version meanwhile; look before going on.")
    for old in others:
        vault.retire(ADO_PAT, old.id)
        steps.tell("retired", f"version {old.id}", version=old.id)
    vault.finish(ADO_PAT, new.id)
    steps.tell("done", "the new token is the only one; revoke the old one in Azure DevOps now")


def _check_token(organisation_url: str, token: str, steps: Steps) -> Identity:
    session = AdoSession(organisation_url, PatCredential(lambda: token))
    try:
        identity = check_connection(session)
        steps.tell("is", f"{identity.display_name} ({identity.id})", identity=identity.id)
        next(iter(list_group_names(session, identity)), None)
        usable = _count_usable(session, steps)
    except AdoError as error:
        raise RefusedError(f"The token is not good enough ({error.code}).") from None
    finally:
        session.close()
    if not usable:
        raise RefusedError("The token may not work in any repository.")
    return identity


def _count_usable(session: AdoSession, steps: Steps) -> int:
    rights = list(list_rights(session))
    usable = 0
    for one in rights:
        if not one.may_work:
            steps.tell("lacks", f"what it needs in {one.label}", repository=one.label)
            continue
        usable += 1
        for deed in one.too_much:
            told = f"{deed} in {one.label}, which it never needs"
            steps.tell("may", told, repository=one.label)
    steps.tell("may", f"work in {usable} of {len(rights)} repositories", repositories=usable)
    return usable


def _check_same(organisation_url: str, current: str, identity: Identity) -> None:
    """Refuse another identity: the agent knows its own comments by who wrote them."""
    session = AdoSession(organisation_url, PatCredential(lambda: current))
    try:
        before = check_connection(session)
    except AdoError:
        return  # the old token is over: there is nothing to compare with
    finally:
        session.close()
    if before.id != identity.id:
        raise RefusedError("The token is of another identity (--other-identity allows it).")


def _write(vault: OperatorVault, token: str, terms: TokenTerms, steps: Steps) -> Held:
    expires_at = datetime.now(UTC) + timedelta(days=terms.expires_days)
    made = vault.write(ADO_PAT, token, expires_at)
    steps.tell(
        "written",
        f"version {made.id}, expires {expires_at:%Y-%m-%d}",
        version=made.id,
        expires_at=expires_at.isoformat(timespec="seconds"),
    )
    return made


def _check_app(url: str, steps: Steps) -> None:
    if not url:
        steps.tell("skipped", "the app is not asked: CODE_AGENT_PUBLIC_URL is not set")
        return
    try:
        answer = requests.get(f"{url}/gateway/ready", timeout=30, allow_redirects=False)
        state = answer.json()["dependencies"]["azure_devops"]
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        reason = f"The app cannot be asked ({type(error).__name__}); the old token is kept."
    else:
        if state == "ok":
            steps.tell("accepted", "Azure DevOps accepts the app")
            return
        reason = "Azure DevOps does not accept the app; the old token is kept."
    raise StoppedError(reason)
