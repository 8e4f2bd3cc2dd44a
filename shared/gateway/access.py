"""Decides who may see the pages: three ways in, each of which says by itself what it opens.

- A person whom App Service authentication has signed in sees every page; its header counts only
  when the operators say that it stands before the app (it removes what clients send of it).
- A script that knows the secret `pages-key` and sends it as `x-functions-key`, or as a bearer
  token, sees every page.
- A link from a comment carries a token that opens one job's pages for some days.

The routes are anonymous for the host, because it would refuse the second and the third.
"""

import hashlib
import hmac
from typing import Final

import azure.functions as func

from shared.composition import compose
from shared.domain.clock import read_utc_clock
from shared.domain.errors import CodeAgentError
from shared.domain.links import TOKEN_PARAMETER
from shared.gateway.failures import note_failure
from shared.secrets.source import PAGES_KEY

KEY_HEADER: Final = "x-functions-key"
PRINCIPAL_HEADER: Final = "x-ms-client-principal"
"""Source: https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities"""


class StrangerError(Exception):
    """Whoever asks may not see the page."""

    def __init__(self, wait_s: int | None) -> None:
        super().__init__("the page is not for whoever asks")
        self.wait_s = wait_s
        """Seconds that the address should wait, having failed too often; None when it need not."""


def require_access(request: func.HttpRequest) -> None:
    """Return when a request may see the page that it asks for.

    Raises:
        StrangerError: it may not.
    """
    if not may_see(request):
        raise StrangerError(note_failure(request, component="pages"))


def may_see(request: func.HttpRequest) -> bool:
    """Answer whether a request may see the page that it asks for."""
    settings = compose().settings
    if settings.pages_access == "open":
        return True
    if settings.pages_easy_auth and request.headers.get(PRINCIPAL_HEADER):
        return True
    return _has_key(request) or _has_token(request)


def _has_key(request: func.HttpRequest) -> bool:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    offered = request.headers.get(KEY_HEADER, "") or (token if scheme.lower() == "bearer" else "")
    if not offered:
        return False
    digest = _digest(offered)
    matches = [hmac.compare_digest(digest, _digest(key)) for key in _read_accepted(PAGES_KEY)]
    return any(matches)


def _has_token(request: func.HttpRequest) -> bool:
    from shared.policy.page_tokens import is_page_token_good

    token, job_id = request.params.get(TOKEN_PARAMETER, ""), request.route_params.get("job_id", "")
    if not token or not job_id:
        return False
    try:
        keys = compose().keys.links
    except CodeAgentError:  # no secret, no tokens
        return False
    return is_page_token_good(token, job_id, keys=keys, now=read_utc_clock())


def _read_accepted(name: str) -> tuple[str, ...]:
    try:
        return compose().secrets.read_accepted(name)
    except CodeAgentError:
        return ()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
