"""Two servers: the vault over https, and over http the identity endpoint and the controls.

Order of a request to the vault: go wrong as the faults say, challenge whoever brings no token,
check the role, carry out. What tests and demonstrations tell it is below `/_standin/`:

GET, PUT, DELETE  faults   {"away": true} | {"throttled": true, "retry_after_s": 1} | {"slow_s": 2},
                           and {"identity_away": true} for the endpoint of tokens
GET, DELETE       calls    the log of requests: operation, status, identity; never a value or token
"""

import asyncio
import contextlib
import json
import secrets
import threading
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from aiohttp import web

from local.key_vault import api
from local.key_vault.certificate import make_certificate, open_context
from local.key_vault.errors import VaultError
from local.key_vault.identities import Directory, Identity, Role
from local.key_vault.records import Records

DEFAULT_CLIENT_ID: Final = "00000000-0000-4000-8000-00000000a9e7"
"""The user-assigned identity of the app: it reads."""
OPERATOR_CLIENT_ID: Final = "00000000-0000-4000-8000-000000009e20"
"""Whoever rotates: reads and writes."""
_HEADER_NAME: Final = "X-IDENTITY-HEADER"


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong with every request until it is changed."""

    away: bool = False
    """Connections to the vault are broken off."""
    throttled: bool = False
    """The vault answers 429."""
    retry_after_s: float = 0.0
    slow_s: float = 0.0
    """Seconds before each answer of the vault."""
    identity_away: bool = False
    """Connections to the identity endpoint are broken off."""


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """A request that was answered, or broken off (status 0)."""

    operation: str
    """Method and path, such as `GET secrets/ado-pat`."""
    status: int
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class VaultOptions:
    """What can be chosen about a server."""

    folder: Path
    """Gets the certificate, which clients have to trust, and its key."""
    port: int = 0
    """0 takes any free port; so does the identity endpoint."""
    identity_port: int = 0


@dataclass(slots=True)
class VaultStandIn:
    """The state of a server: freely read, changed between requests."""

    certificate_file: Path
    records: Records = field(default_factory=Records)
    directory: Directory = field(
        default_factory=lambda: Directory(
            [
                Identity("", set()),
                Identity(DEFAULT_CLIENT_ID, {Role.SECRETS_USER}),
                Identity(OPERATOR_CLIENT_ID, {Role.SECRETS_OFFICER}),
            ]
        )
    )
    faults: Faults = field(default_factory=Faults)
    identity_header: str = field(default_factory=lambda: secrets.token_hex(16))
    resource: str = ""
    url: str = ""
    """Base URL of the vault."""
    identity_url: str = ""
    """Base URL of the server of identities and controls."""
    _calls: list[LoggedCall] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which azure-identity and the SDKs find and trust it."""
        return {
            "IDENTITY_ENDPOINT": f"{self.identity_url}/msi/token",
            "IDENTITY_HEADER": self.identity_header,
            "REQUESTS_CA_BUNDLE": str(self.certificate_file),
            "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
        }

    @property
    def calls(self) -> list[LoggedCall]:
        """What was asked since the log was cleared."""
        with self._lock:
            return list(self._calls)

    def note(self, call: LoggedCall) -> None:
        """Log a request."""
        with self._lock:
            self._calls.append(call)

    def clear_calls(self) -> None:
        """Begin the log anew."""
        with self._lock:
            self._calls.clear()


@contextlib.asynccontextmanager
async def serve(options: VaultOptions) -> AsyncIterator[VaultStandIn]:
    """Serve inside the current event loop until the block is left."""
    stand_in = VaultStandIn(make_certificate(options.folder))
    server = _Server(stand_in)
    vault, identity = web.Application(), web.Application()
    vault.router.add_route("*", "/{path:.*}", server.answer_vault)
    identity.router.add_get("/msi/token", server.give_token)
    identity.router.add_route("*", "/_standin/{name}", server.control)
    runners = [
        web.AppRunner(app, access_log=None, shutdown_timeout=0.2) for app in (vault, identity)
    ]
    try:
        for runner in runners:
            await runner.setup()
        context = open_context(stand_in.certificate_file)
        await web.TCPSite(runners[0], "127.0.0.1", options.port, ssl_context=context).start()
        await web.TCPSite(runners[1], "127.0.0.1", options.identity_port).start()
        vault_port, identity_port = (runner.addresses[0][1] for runner in runners)
        stand_in.url = f"https://localhost:{vault_port}"
        # the SDK holds the vault's host to be below the resource's, port and all
        stand_in.resource = f"https://localhost:{vault_port}"
        stand_in.identity_url = f"http://127.0.0.1:{identity_port}"
        yield stand_in
    finally:
        for runner in runners:
            _hang_up(runner)
            await runner.cleanup()


class _Server:
    """Answers requests."""

    def __init__(self, stand_in: VaultStandIn) -> None:
        self._stand_in = stand_in
        self._tenant = uuid4()

    async def answer_vault(self, request: web.Request) -> web.StreamResponse:
        stand_in = self._stand_in
        operation = f"{request.method} {request.match_info['path'].strip('/')}"
        faults = stand_in.faults
        await asyncio.sleep(faults.slow_s)
        if faults.away:
            stand_in.note(LoggedCall(operation, 0))
            return _break_connection(request)
        identity = stand_in.directory.identify(
            request.headers.get("Authorization", ""), stand_in.resource
        )
        who = identity.client_id if identity else ""
        try:
            _throttle(faults)
            if identity is None:
                return self._challenge(operation)
            status, body = api.answer(
                stand_in.records,
                api.Request(
                    identity,
                    request.method,
                    request.match_info["path"],
                    request.query,
                    _read_json(await request.read()),
                    stand_in.url,
                ),
            )
        except VaultError as error:
            status, body = error.status, error.to_wire()
        stand_in.note(LoggedCall(operation, status, who))
        headers = {"x-ms-keyvault-service-version": "1.9.0", "x-ms-request-id": str(uuid4())}
        if status == 429 and faults.retry_after_s:
            headers["Retry-After"] = f"{faults.retry_after_s:g}"
        if body is None:
            return web.Response(status=status, headers=headers)
        return web.json_response(body, status=status, headers=headers)

    def _challenge(self, operation: str) -> web.Response:
        self._stand_in.note(LoggedCall(operation, 401))
        refusal = VaultError(
            401, "Unauthorized", "AKV10000: Request is missing a Bearer or PoP token."
        )
        challenge = (
            f'Bearer authorization="https://login.microsoftonline.com/{self._tenant}", '
            f'resource="{self._stand_in.resource}"'
        )
        return web.json_response(
            refusal.to_wire(), status=401, headers={"WWW-Authenticate": challenge}
        )

    async def give_token(self, request: web.Request) -> web.StreamResponse:
        stand_in, query = self._stand_in, request.query
        if stand_in.faults.identity_away:
            return _break_connection(request)
        if request.headers.get(_HEADER_NAME) != stand_in.identity_header:
            return _refuse_token(401, "The identity header is missing or wrong.")
        if query.get("api-version") != "2019-08-01" or not query.get("resource"):
            return _refuse_token(400, "api-version 2019-08-01 and a resource are needed.")
        identity = stand_in.directory.find(query.get("client_id", ""))
        if identity is None:
            return _refuse_token(400, "No User Assigned or Delegated Managed Identity found.")
        token, ends = stand_in.directory.give_token(identity, query["resource"])
        stand_in.note(LoggedCall("GET token", 200, identity.client_id))
        return web.json_response(
            {
                "access_token": token,
                "client_id": identity.client_id,
                "expires_on": str(ends),
                "resource": query["resource"],
                "token_type": "Bearer",
            }
        )

    async def control(self, request: web.Request) -> web.Response:
        stand_in = self._stand_in
        match (request.method, request.match_info["name"]):
            case ("GET", "faults"):
                return web.json_response(asdict(stand_in.faults))
            case ("PUT", "faults"):
                try:
                    stand_in.faults = replace(Faults(), **await request.json())
                except (ValueError, TypeError) as error:
                    return web.json_response({"error": str(error)}, status=400)
            case ("DELETE", "faults"):
                stand_in.faults = Faults()
            case ("GET", "calls"):
                return web.json_response([asdict(call) for call in stand_in.calls])
            case ("DELETE", "calls"):
                stand_in.clear_calls()
            case _:
                return web.json_response({"error": "no such control"}, status=404)
        return web.json_response({})


def _hang_up(runner: web.AppRunner) -> None:
    """Break what clients keep open: a polite end of TLS would wait for theirs."""
    for connection in runner.server.connections if runner.server else []:
        if connection.transport is not None:
            connection.transport.abort()


def _throttle(faults: Faults) -> None:
    if faults.throttled:
        raise VaultError(
            429, "Throttled", "Request was not processed because too many were received."
        )


def _refuse_token(status: int, message: str) -> web.Response:
    return web.json_response({"statusCode": status, "message": message}, status=status)


def _read_json(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        raise VaultError(400, "BadParameter", "The request body is not valid JSON.") from None


def _break_connection(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
