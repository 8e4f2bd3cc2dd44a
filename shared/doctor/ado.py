"""What the app needs of Azure DevOps: to be let in, its rights, its hook, its share, its clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Final

import requests

from shared.ado.errors import AdoError
from shared.ado.hooks import list_hooks
from shared.ado.identities import check_connection
from shared.ado.session import AdoSession
from shared.doctor.report import AilmentError, UnseenError
from shared.jobs.watch_hooks import WEBHOOK_PATH
from shared.jobs.watch_rights import look_at_rights
from shared.jobs.world import World

MAX_SKEW_S: Final = 60.0
"""Links and tokens live for minutes and more; a clock that is further off is not being set."""
MAX_REPOSITORIES: Final = 20
"""Whose rights are looked at: a few calls each."""
_TIMEOUT_S: Final = 8.0


def check_credential(world: World) -> str:
    """Look whether the agent is let in, and as whom."""
    with _open(world) as session:
        identity = check_connection(session)
    return f"accepted, as {identity.display_name} ({identity.id})"


def check_rights(world: World) -> str:
    """Look what the agent may do in the repositories that it sees."""
    wanted = world.settings.allowed_repositories
    with _open(world) as session:
        found = look_at_rights(session, wanted, most=MAX_REPOSITORIES)
    if found.lacking:
        raise AilmentError(f"the agent may not work in {', '.join(found.lacking)}")
    if not found.usable:
        raise AilmentError("the agent may work in no repository")
    if found.excessive:
        raise AilmentError(
            f"the agent may {', '.join(found.deeds)} in {found.excessive} repositories, and never"
            " needs to",
            "Deny the agent Force push and both Bypass policies there; docs/security.md.",
        )
    return f"may work in {found.usable} of {found.seen} repositories"


def check_hook(world: World, viewer: AdoSession | None) -> str:
    """Look whether a service hook calls the app, as the agent or as somebody who may look."""
    try:
        with _open(world) as session:
            hooks = list_hooks(viewer or session, WEBHOOK_PATH)
    except AdoError as error:
        if error.code == "ado.forbidden":
            raise UnseenError('whoever asks lacks the right "View subscriptions"') from None
        if viewer is not None and error.code == "ado.unauthenticated":
            raise UnseenError("the operator's own token is not accepted") from None
        raise
    if not hooks:
        raise AilmentError("no service hook calls the app")
    ailing = [f"{hook.id} is {hook.status}" for hook in hooks if hook.status != "enabled"]
    if ailing:
        raise AilmentError(", ".join(ailing))
    return f"{len(hooks)} enabled"


def check_quota(world: World) -> str:
    """Look whether Azure DevOps asks the agent to slow down."""
    waits: list[float] = []
    with _open(world, waits) as session:
        check_connection(session)
    if waits:
        raise AilmentError(f"Azure DevOps asks to wait {max(waits):.1f} s")
    return "Azure DevOps asks nobody to wait"


def check_clock(world: World) -> str:
    """Compare the clock with the one that Azure DevOps answers with."""
    try:
        # nobody has to be signed in for the time of day
        answer = requests.head(
            world.settings.organisation_url, timeout=_TIMEOUT_S, allow_redirects=False
        )
        theirs = parsedate_to_datetime(answer.headers["Date"])
    except (requests.RequestException, KeyError, ValueError):
        raise UnseenError("Azure DevOps does not say what time it is") from None
    skew_s = (world.clock() - theirs).total_seconds()
    if abs(skew_s) > MAX_SKEW_S:
        raise AilmentError(f"{skew_s:+.0f} s off the clock of Azure DevOps")
    return f"{skew_s:+.0f} s off the clock of Azure DevOps"


@contextmanager
def _open(world: World, waits: list[float] | None = None) -> Iterator[AdoSession]:
    heard = [] if waits is None else waits
    session = world.open_ado(on_throttled=lambda _, __, wait_s: heard.append(wait_s))
    try:
        yield session
    finally:
        session.close()
