"""The table of the REST API: method and template to a handler, whatever the case.

A template is a path below the organisation; `{name}` matches a segment, `{project?}` one that may
be missing. Handlers are plain functions of a `Call`; what they return is the JSON of the answer.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from local.azure_devops.errors import refuse_argument
from local.azure_devops.organisation import Organisation
from local.azure_devops.records import Document


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is not just JSON with status 200."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Call:
    """One call, authenticated and taken apart."""

    organisation: Organisation
    user: Document
    parts: Mapping[str, str]
    """What the template's names matched, decoded."""
    query: Mapping[str, str]
    body: Any
    accept: str
    api_version: str

    @property
    def project(self) -> str | None:
        """The project's name or id, when the path has one."""
        return self.parts.get("project")

    def number(self, name: str) -> int:
        """Answer a part that is a number.

        Raises:
            ServiceError: it is none.
        """
        text = self.parts[name]
        if not text.isascii() or not text.isdigit():
            raise refuse_argument(f"The value '{text}' is not valid for {name}.")
        return int(text)

    def find_repository(self) -> Document:
        """Find the repository of the path."""
        return self.organisation.find_repository(self.parts["repository"], self.project, self.user)

    def read_window(self, most: int = 100) -> tuple[int, int]:
        """Answer `$skip` and `$top`, which may be written without the dollar sign too."""
        skip = self.query.get("$skip", self.query.get("skip", "0"))
        top = self.query.get("$top", self.query.get("top", str(most)))
        if not skip.isdigit() or not top.isdigit():
            raise refuse_argument("The values of $skip and $top are whole numbers.")
        return int(skip), int(top)

    def read_object(self) -> dict[str, Any]:
        """Answer the body, which must be an object."""
        if not isinstance(self.body, dict):
            raise refuse_argument("Value cannot be null. Parameter name: body")
        return self.body


Handler = Callable[[Call], Any]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of the API."""

    method: str
    pattern: re.Pattern[str]
    operation: str
    handler: Handler


ROUTES: Final[list[Route]] = []


def route(method: str, template: str, operation: str) -> Callable[[Handler], Handler]:
    """Put a handler into the table."""

    def register(handler: Handler) -> Handler:
        ROUTES.append(Route(method, _compile(template), operation, handler))
        return handler

    return register


def _compile(template: str) -> re.Pattern[str]:
    pattern = ""
    for part in template.split("/"):
        if part == "{project?}":
            pattern += r"(?:(?P<project>[^/]+)/)?"
        elif part.startswith("{"):
            pattern += rf"(?P<{part[1:-1]}>[^/]+)/"
        else:
            pattern += re.escape(part) + "/"
    return re.compile(pattern.removesuffix("/") + "/?", re.IGNORECASE)


def find_route(method: str, raw_path: str) -> tuple[Route, dict[str, str]] | None:
    """Find the operation of a path that is still encoded; parts are decoded one by one."""
    for one in ROUTES:
        if one.method == method and (match := one.pattern.fullmatch(raw_path)):
            parts = {name: unquote(value) for name, value in match.groupdict().items() if value}
            return one, parts
    return None


def write_list(items: list[Any], **more: Any) -> dict[str, Any]:
    """Write a list as the service does."""
    return {"count": len(items), "value": items, **more}
