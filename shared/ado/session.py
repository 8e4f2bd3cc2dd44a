"""Makes the calls to Azure DevOps and names what went wrong. One try, but for a stale credential.

Waiting is not done here: a `Retry-After`, on whatever status, becomes `retry_after_s` of an error,
and the orchestrator's durable timer waits.
Source: https://learn.microsoft.com/azure/devops/integrate/concepts/rate-limits
"""

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from typing_extensions import override

from shared.ado.credentials import AdoCredential
from shared.ado.errors import AdoError, AdoNotFoundError
from shared.domain.clock import read_utc_clock
from shared.domain.errors import JobError

API_VERSION: Final = "7.1"
CONNECT_TIMEOUT_S: Final = 5.0
READ_TIMEOUT_S: Final = 30.0
MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024
MAX_PAUSE_S: Final = 900.0
"""A longer Retry-After is taken for this: the sliding window of the limits is five minutes."""

_QUESTIONS: Final = frozenset({"get file diffs", "look up subjects"})
"""Operations that change nothing, though the service wants them sent with POST."""

ThrottleListener = Callable[[str, int, float], None]
"""Hears operation, status code and seconds whenever Azure DevOps asks to wait."""


CallObserver = Callable[[str, str], AbstractContextManager[Callable[[int], None]]]
"""Stands round each request: is told operation and method, and then the status of the answer."""


@contextmanager
def _observe_nothing(_operation: str, _method: str) -> Iterator[Callable[[int], None]]:
    yield lambda _: None


class AdoSession:
    """Calls to one organisation."""

    def __init__(
        self,
        organisation_url: str,
        credential: AdoCredential,
        *,
        on_throttled: ThrottleListener = lambda *_: None,
        observe: CallObserver = _observe_nothing,
        may_write: Callable[[], bool] = lambda: True,
    ) -> None:
        self.organisation_url = organisation_url.rstrip("/")
        self.cache: dict[str, Any] = {}
        """What does not change in the life of a process, by a name of its user's choice."""
        self.own_id: str | None = None
        """Id of the identity that the organisation takes us for, as soon as an answer said it."""
        self._credential = credential
        self._on_throttled = on_throttled
        self._observe = observe
        self._may_write = may_write
        self._pause_until = 0.0
        self._local = threading.local()
        self._sessions: list[requests.Session] = []

    @property
    def graph_url(self) -> str:
        """Where the organisation's Graph is served; a stand-in serves it itself."""
        parts = urlsplit(self.organisation_url)
        host = parts.hostname or ""
        if host == "dev.azure.com":
            return f"https://vssps.dev.azure.com{parts.path}"
        if host.endswith(".visualstudio.com"):
            return f"https://vssps.dev.azure.com/{host.partition('.')[0]}"
        return self.organisation_url

    def close(self) -> None:
        """Close the connections of every thread; a later call opens new ones."""
        while self._sessions:
            self._sessions.pop().close()

    @contextmanager
    def until(self, deadline: datetime) -> Iterator[None]:
        """Let no call of this thread begin after the deadline, or last longer than until then."""
        before = getattr(self._local, "deadline", None)
        self._local.deadline = deadline
        try:
            yield
        finally:
            self._local.deadline = before

    def call(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        api_version: str = API_VERSION,
        base_url: str | None = None,
    ) -> bytes:
        """Make one call; answers the JSON as bytes (`wire` reads it).

        Args:
            operation: for logs and telemetry, such as `create push`.
            method: of HTTP.
            path: below the organisation, segments quoted (`build_path`).
            body: sent as JSON.
            query: besides the api-version.
            api_version: of the REST API.
            base_url: instead of the organisation's.

        Raises:
            AdoError: see `shared.ado.errors`.
            JobError: `job.out_of_time`, when the deadline leaves no time for it.
        """
        with self._open(operation, method, path, body, query, api_version, base_url) as response:
            data = _read_bounded(operation, response)
            # what was deleted is answered with nothing
            if not _is_json(response) and (data or method != "DELETE"):
                raise AdoError("ado.outage", operation=operation, status_code=response.status_code)
            return data

    @contextmanager
    def download(
        self, operation: str, path: str, *, query: Mapping[str, str], accept: str
    ) -> Iterator[Iterator[bytes]]:
        """Read a large answer piece by piece.

        Raises:
            AdoError: `ado.outage` for another content type than `accept`, and as `call`.
        """
        with self._open(
            operation, "GET", path, None, query, API_VERSION, None, accept=accept
        ) as response:
            if not response.headers.get("Content-Type", "").startswith(accept):
                raise AdoError("ado.outage", operation=operation, status_code=response.status_code)
            try:
                yield response.iter_content(1 << 18)
            except requests.RequestException as error:
                raise AdoError("ado.unavailable", operation=operation) from error

    def _open(  # noqa: PLR0913 - the parts of one request
        self,
        operation: str,
        method: str,
        path: str,
        body: Any,
        query: Mapping[str, str] | None,
        api_version: str,
        base_url: str | None,
        *,
        accept: str = "application/json",
    ) -> requests.Response:
        if base_url not in (None, self.organisation_url, self.graph_url):
            raise ValueError("only the configured organisation is called")
        self._respect_pause(operation)
        if not (method == "GET" or operation in _QUESTIONS or self._may_write()):
            raise AdoError("ado.read_only", operation=operation, had_no_effect=True)
        url = f"{base_url or self.organisation_url}/{path}"
        params = {**(query or {}), "api-version": api_version}
        response = self._send(operation, method, url, params, body, accept)
        if _needs_sign_in(response):
            response.close()
            self._credential.refresh()
            response = self._send(operation, method, url, params, body, accept)
        if _needs_sign_in(response):
            response.close()
            raise AdoError(
                "ado.unauthenticated",
                operation=operation,
                status_code=response.status_code,
                had_no_effect=True,
            )
        if not 200 <= response.status_code < 300:  # a redirect is no answer, and is not followed
            with response:
                raise _classify(operation, response)
        if base_url in (None, self.organisation_url):
            self.own_id = read_own_id(response.headers) or self.own_id
        return response

    def _send(
        self,
        operation: str,
        method: str,
        url: str,
        params: Mapping[str, str],
        body: Any,
        accept: str,
    ) -> requests.Response:
        header = self._credential.read_header()
        timeout = (CONNECT_TIMEOUT_S, self._limit_s())
        try:
            with self._observe(operation, method) as tell:
                response = self._session().request(
                    method,
                    url,
                    params=params,
                    json=body,
                    headers={"Accept": accept, "X-TFS-FedAuthRedirect": "Suppress"},
                    # an auth object, so that a .netrc of the machine does not replace the header
                    auth=_Authorisation(header),
                    timeout=timeout,
                    allow_redirects=False,
                    stream=True,
                )
                tell(response.status_code)
        except requests.ConnectTimeout as error:
            raise AdoError("ado.unavailable", operation=operation, had_no_effect=True) from error
        except requests.RequestException as error:
            raise AdoError("ado.unavailable", operation=operation) from error
        self._note_throttling(operation, response)
        return response

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            for scheme in ("https://", "http://"):
                session.mount(scheme, HTTPAdapter(max_retries=0, pool_maxsize=2))
            session.headers["User-Agent"] = "code-agent"
            self._local.session = session
            self._sessions.append(session)  # atomic in CPython
        return session

    def _limit_s(self) -> float:
        deadline: datetime | None = getattr(self._local, "deadline", None)
        if deadline is None:
            return READ_TIMEOUT_S
        left = (deadline - read_utc_clock()).total_seconds()
        if left <= 0:
            raise JobError("job.out_of_time", "The time limit of the variant is over.")
        return min(READ_TIMEOUT_S, left)

    def _respect_pause(self, operation: str) -> None:
        left = self._pause_until - time.monotonic()
        if left > 0:
            raise AdoError(
                "ado.rate_limited", operation=operation, retry_after_s=left, had_no_effect=True
            )

    def _note_throttling(self, operation: str, response: requests.Response) -> None:
        """Remember a `Retry-After`: also a 200 that was delayed asks everybody to slow down."""
        wished = read_retry_after(response.headers)
        if wished is None:
            return
        self._on_throttled(operation, response.status_code, wished)
        if response.ok:
            self._pause_until = max(self._pause_until, time.monotonic() + wished)


class _Authorisation(requests.auth.AuthBase):
    def __init__(self, header: str) -> None:
        self._header = header

    @override
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._header
        return request


def build_path(*segments: str | int) -> str:
    """Join path segments, each quoted: names hold spaces, `#` and `%`."""
    return "/".join(quote(str(segment), safe="") for segment in segments)


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Read the seconds to wait from Retry-After, in either of its two forms; None without."""
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(text) - read_utc_clock()).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), MAX_PAUSE_S) if seconds == seconds else None  # noqa: PLR0124 - NaN


def read_own_id(headers: Mapping[str, str]) -> str | None:
    """Read the id of the caller's identity from X-VSS-UserData; None when it does not say one.

    The header is `{id}:{unique name}`; some accounts have another form before the colon, such as
    `aad.…`. The unique name is an address of a person and is not read.
    Source: https://github.com/microsoft/azure-devops-node-api/issues/379
    """
    match = _USER_DATA.match(headers.get("X-VSS-UserData", ""))
    return match[1].lower() if match else None


_USER_DATA: Final = re.compile(
    r"(?!0{8}-)([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}):", re.IGNORECASE
)


def _needs_sign_in(response: requests.Response) -> bool:
    """Tell a credential that is not accepted: 401, a redirect, or 203 with the sign-in page."""
    return response.status_code in (203, 302, 401)


def _is_json(response: requests.Response) -> bool:
    return "json" in response.headers.get("Content-Type", "")


def _read_bounded(operation: str, response: requests.Response) -> bytes:
    parts: list[bytes] = []
    size = 0
    try:
        for part in response.iter_content(1 << 16):
            size += len(part)
            if size > MAX_ANSWER_BYTES:
                raise AdoError("ado.unexpected_answer", operation=operation)
            parts.append(part)
    except requests.RequestException as error:
        raise AdoError("ado.unavailable", operation=operation) from error
    return b"".join(parts)


def _classify(operation: str, response: requests.Response) -> AdoError:
    """Name a refusal by its status and the service's own number (TF…)."""
    status = response.status_code
    retry_after_s = read_retry_after(response.headers)
    if status == 429:
        return AdoError(
            "ado.rate_limited",
            operation=operation,
            status_code=status,
            retry_after_s=retry_after_s,
            had_no_effect=True,
        )
    if status >= 500 or not _is_json(response):
        return AdoError(
            "ado.unavailable",
            operation=operation,
            status_code=status,
            retry_after_s=retry_after_s,
        )
    told = _read_bounded(operation, response).decode("utf-8", "replace")[:20_000]
    if status == 404:
        return AdoNotFoundError(operation=operation)
    code = next((code for mark, code in _MARKS if mark in told), None)
    if code is None:
        code = "ado.forbidden" if status == 403 else "ado.rejected"
    return AdoError(code, operation=operation, status_code=status, had_no_effect=True)


_MARKS: Final = (
    ("TF401179", "ado.duplicate_pull_request"),
    ("TF401398", "ado.branch_missing"),
    ("GitReferenceStaleException", "ado.stale_ref"),
    ("TF401028", "ado.stale_ref"),
    ("TF401027", "ado.forbidden"),
)
"""The service's own numbers and type names, in the order in which they are looked for.
Source: https://learn.microsoft.com/azure/devops/reference/error/tfs-error-messages"""
