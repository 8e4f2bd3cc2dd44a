"""The vault's REST API: method and path to an operation on the records, and its JSON.

Source: https://learn.microsoft.com/rest/api/keyvault/secrets
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.key_vault import identities
from local.key_vault.errors import VaultError, refuse_parameter
from local.key_vault.identities import Identity, check_action
from local.key_vault.records import RETENTION_DAYS, Records, Secret, Version, change

PAGE: Final = 25
"""Most items of a page, also when more are asked for."""
API_VERSIONS: Final = frozenset(
    {"7.0", "7.1", "7.2", "7.3", "7.4", "7.5", "7.6", "2016-10-01", "2025-07-01", "2026-04-01"}
)


@dataclass(frozen=True, slots=True)
class Request:
    """One request of somebody who is known."""

    identity: Identity
    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    url: str
    """Base URL of the vault."""

    def read_object(self) -> dict[str, Any]:
        """Answer the body, which must be an object."""
        if not isinstance(self.body, dict):
            raise refuse_parameter("Request body not specified")
        return self.body


def answer(records: Records, request: Request) -> tuple[int, Any]:
    """Carry an operation out; answers status and JSON.

    Raises:
        VaultError: it is refused.
    """
    _check_version(request.query)
    collection, *parts = request.path.strip("/").split("/")
    if collection == "secrets":
        return _answer_secrets(records, request, parts)
    if collection == "deletedsecrets":
        return _answer_deleted(records, request, parts)
    raise _miss_operation(request)


def _answer_secrets(records: Records, request: Request, parts: list[str]) -> tuple[int, Any]:
    match (request.method, *parts):
        case ("GET",):
            _allow(request, identities.READ_METADATA)
            items = [_write_item(request, one, one.versions[-1]) for one in records.list_names()]
            return 200, _write_page(request, items)
        case ("PUT", name):
            _allow(request, identities.WRITE)
            return 200, _set(records, request, name)
        case ("GET", name, "versions"):
            _allow(request, identities.READ_METADATA)
            found = records.find(name)
            versions = sorted(found.versions, key=lambda version: version.id)
            items = [_write_item(request, found, one, is_version=True) for one in versions]
            return 200, _write_page(request, items)
        case ("GET", name, *version) if len(version) <= 1:
            _allow(request, identities.READ_VALUE)
            return 200, _get(records, request, name, *version)
        case ("PATCH", name, *version) if len(version) <= 1:
            _allow(request, identities.UPDATE)
            secret, one = records.find_version(name, *(version or [""]))
            change(one, request.read_object())
            return 200, _write_item(request, secret, one, is_version=True)
        case ("DELETE", name):
            _allow(request, identities.DELETE)
            return 200, _write_deleted(request, records.delete(name))
        case _:
            raise _miss_operation(request)


def _answer_deleted(records: Records, request: Request, parts: list[str]) -> tuple[int, Any]:
    match (request.method, *parts):
        case ("GET",):
            _allow(request, identities.READ_METADATA)
            return 200, _write_page(
                request, [_write_deleted(request, one) for one in records.list_deleted()]
            )
        case ("GET", name):
            _allow(request, identities.READ_METADATA)
            return 200, _write_deleted(request, records.find_deleted(name))
        case ("POST", name, "recover"):
            _allow(request, identities.RECOVER)
            secret = records.recover(name)
            return 200, _write_item(request, secret, secret.versions[-1], is_version=True)
        case ("DELETE", name):
            _allow(request, identities.PURGE)
            records.purge(name)
            return 204, None
        case _:
            raise _miss_operation(request)


def _miss_operation(request: Request) -> VaultError:
    return VaultError(404, "ResourceNotFound", f"No operation {request.method} /{request.path}.")


def _allow(request: Request, action: str) -> None:
    check_action(request.identity, action)


def _check_version(query: Mapping[str, str]) -> None:
    version = query.get("api-version", "")
    if not version:
        raise refuse_parameter("api-version must be specified")
    if version not in API_VERSIONS:
        raise refuse_parameter(f"The specified version ({version}) is not recognized.")


def _set(records: Records, request: Request, name: str) -> dict[str, Any]:
    body = request.read_object()
    value = body.get("value")
    if not isinstance(value, str):
        raise refuse_parameter("The request body must have a value.")
    version = records.write(name, value, body)
    return _write_bundle(request, records.find(name), version)


def _get(records: Records, request: Request, name: str, version: str = "") -> dict[str, Any]:
    secret, one = records.find_version(name, version)
    if not one.enabled:
        raise VaultError(
            403,
            "Forbidden",
            "Operation get is not allowed on a disabled secret.",
            inner="SecretDisabled",
        )
    return _write_bundle(request, secret, one)


def _write_bundle(request: Request, secret: Secret, version: Version) -> dict[str, Any]:
    item = _write_item(request, secret, version, is_version=True)
    return {"value": version.value, **item}


def _write_item(
    request: Request, secret: Secret, version: Version, *, is_version: bool = False
) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "enabled": version.enabled,
        "created": version.created,
        "updated": version.updated,
        "recoveryLevel": "Recoverable+Purgeable",
        "recoverableDays": RETENTION_DAYS,
    }
    if version.not_before is not None:
        attributes["nbf"] = version.not_before
    if version.expires is not None:
        attributes["exp"] = version.expires
    id_ = f"{request.url}/secrets/{secret.name}" + (f"/{version.id}" if is_version else "")
    item: dict[str, Any] = {"id": id_, "attributes": attributes, "tags": version.tags}
    if version.content_type is not None:
        item["contentType"] = version.content_type
    return item


def _write_deleted(request: Request, secret: Secret) -> dict[str, Any]:
    deleted = secret.deleted or 0
    return {
        "recoveryId": f"{request.url}/deletedsecrets/{secret.name}",
        "deletedDate": deleted,
        "scheduledPurgeDate": deleted + RETENTION_DAYS * 86_400,
        **_write_item(request, secret, secret.versions[-1], is_version=True),
    }


def _write_page(request: Request, items: list[dict[str, Any]]) -> dict[str, Any]:
    most, skip = request.query.get("maxresults", str(PAGE)), request.query.get("$skiptoken", "0")
    if not most.isdigit() or not skip.isdigit() or not 1 <= int(most) <= PAGE:
        raise refuse_parameter(f"maxresults must be a number from 1 to {PAGE}")
    start, end = int(skip), int(skip) + int(most)
    link = (
        f"{request.url}/{request.path.strip('/')}?api-version={request.query['api-version']}"
        f"&$skiptoken={end}&maxresults={most}"
    )
    return {"value": items[start:end], "nextLink": link if end < len(items) else None}
