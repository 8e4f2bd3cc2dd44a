"""Clone, fetch and push with an ordinary git, through `git http-backend`.

Source: https://git-scm.com/docs/git-http-backend
"""

import asyncio
import os
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from aiohttp import web

from local.azure_devops.branches import note_push
from local.azure_devops.errors import ServiceError, need_permission
from local.azure_devops.git_store import ZERO
from local.azure_devops.organisation import (
    CONTRIBUTE,
    CREATE_BRANCH,
    FORCE_PUSH,
    Organisation,
)
from local.azure_devops.records import Document

PATH: Final = re.compile(
    r"(?P<project>[^/]+)/_git/(?P<repository>[^/]+)/"
    r"(?P<service>info/refs|git-upload-pack|git-receive-pack)"
)


async def serve_git(
    organisation: Organisation, user: Document, request: web.Request, match: re.Match[str]
) -> web.Response:
    """Answer one request of the smart protocol."""
    name, project = unquote(match["repository"]), unquote(match["project"])
    try:
        repository = organisation.find_repository(name, project, user)
        service = request.query.get("service", match["service"])
        if service.endswith("git-receive-pack"):
            organisation.require(user, repository, CONTRIBUTE)
    except ServiceError as refusal:
        return web.Response(status=refusal.status, text=refusal.message)
    store = organisation.open_store(repository["id"])
    before = store.list_refs()
    body = await request.read()
    creates = match["service"] == "git-receive-pack" and _creates_branch(body)
    if creates and not organisation.may(user, repository, CREATE_BRANCH):
        return web.Response(status=403, text=need_permission("CreateBranch").message)
    may_force = organisation.may(user, repository, FORCE_PUSH)
    status, headers, content = await _run_backend(
        {
            "GIT_PROJECT_ROOT": str(organisation.folder),
            "PATH_INFO": f"/{repository['id']}.git/{match['service']}",
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": user["displayName"],
            "REQUEST_METHOD": request.method,
            "QUERY_STRING": request.query_string,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
            "HTTP_CONTENT_ENCODING": "",  # aiohttp has unpacked the body already
        },
        body,
        may_force=may_force,
    )
    after = store.list_refs()
    moved = [
        (ref, before.get(ref, ZERO), after.get(ref, ZERO))
        for ref in sorted({*before, *after})
        if before.get(ref) != after.get(ref)
    ]
    if moved:
        note_push(organisation, repository, user, moved)
    return web.Response(status=status, headers=headers, body=content)


def _creates_branch(body: bytes) -> bool:
    """Read the commands of a push: `old new ref` in pkt-lines, up to the flush.

    Source: https://git-scm.com/docs/pack-protocol
    """
    at = 0
    while (size := int(body[at : at + 4] or b"0", 16)) > 4:
        if body[at + 4 : at + 44] == ZERO.encode():
            return True
        at += size
    return False


async def _run_backend(
    environment: Mapping[str, str], body: bytes, *, may_force: bool
) -> tuple[int, dict[str, str], bytes]:
    process = await asyncio.create_subprocess_exec(
        *("git", "-c", "http.receivepack=true"),
        *("-c", f"receive.denyNonFastForwards={'false' if may_force else 'true'}", "http-backend"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**_inherit(), **environment},
    )
    output, _ = await process.communicate(body)
    head, _, content = output.partition(b"\r\n\r\n")
    headers: dict[str, str] = {}
    status = 200
    for line in head.decode("latin-1").splitlines():
        name, _, value = line.partition(": ")
        if name.lower() == "status":
            status = int(value.split()[0])
        elif name:
            headers[name] = value
    return status, headers, content


def _inherit() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", ""), "HOME": os.environ.get("HOME", "/")}
