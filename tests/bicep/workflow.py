"""Runs a Logic App of `bicep/alerts/relay` as far as its two HTTP actions: what would be sent.

Only the functions that the definitions use.
Source: https://learn.microsoft.com/azure/logic-apps/workflow-definition-language-functions-reference
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import unquote


def _take(value: str | list[Any], count: int) -> str | list[Any]:
    """Take what comes first; like the service, fail for what is neither text nor list."""
    if not isinstance(value, str | list):
        raise TypeError("take: neither a text nor a list")
    return value[:count]


def _replace(text: str, old: str, new: str) -> str:
    if not isinstance(text, str):
        raise TypeError("replace: not a text")
    return text.replace(old, new)


_TOKEN: Final = re.compile(r"\s*('(?:[^']|'')*'|\?\[|[\w]+|[(),\[\]])")
_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "coalesce": lambda *values: next((each for each in values if each is not None), None),
    "concat": lambda *values: "".join("" if each is None else str(each) for each in values),
    "createArray": lambda *values: list(values),
    "decodeUriComponent": unquote,
    "equals": lambda left, right: left == right,
    "first": lambda values: values[0] if values else None,
    "if": lambda condition, then, otherwise: then if condition else otherwise,
    "replace": _replace,
    "take": _take,
    "utcNow": lambda: "2026-11-25T12:00:00.0000000Z",
}


class Run:
    """One run: `alert` is what called the trigger, `secret` what the vault holds."""

    def __init__(self, definition: dict[str, Any], alert: Any, secret: str) -> None:
        self._definition = definition
        self._next = ""
        self._sources: dict[str, Callable[..., Any]] = {
            "triggerBody": lambda: alert,
            "body": {"read_secret": {"value": secret}}.__getitem__,
            "parameters": {"secretUri": "https://vault.example/secrets/name"}.__getitem__,
        }

    def build_request(self, action: str) -> dict[str, Any]:
        """Build what an HTTP action would send: method, uri, headers, body."""
        computed: dict[str, Any] = self._fill(self._definition["actions"][action]["inputs"])
        return computed

    def _fill(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._fill(each) for key, each in value.items()}
        if isinstance(value, str):
            return re.sub(r"@\{((?:[^{}])*)\}", self._compute, value)
        return value

    def _compute(self, found: re.Match[str]) -> str:
        tokens = iter([*_TOKEN.findall(found[1]), ""])
        self._next = next(tokens)
        value = self._read(tokens)
        if self._next:
            raise ValueError(f"not an expression: {found[1]}")
        return "" if value is None else str(value)

    def _read(self, tokens: Iterator[str]) -> Any:
        token = self._take(tokens)
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token.isdigit():
            return int(token)
        self._expect("(", tokens)
        arguments = []
        while self._next != ")":
            arguments.append(self._read(tokens))
            if self._next == ",":
                self._take(tokens)
        self._expect(")", tokens)
        value = (self._sources | _FUNCTIONS)[token](*arguments)
        while self._next in {"?[", "["}:
            is_safe = self._take(tokens) == "?["
            key = self._read(tokens)
            self._expect("]", tokens)
            value = None if value is None and is_safe else value.get(key)
        return value

    def _take(self, tokens: Iterator[str]) -> str:
        token = self._next
        self._next = next(tokens, "")
        return token

    def _expect(self, wanted: str, tokens: Iterator[str]) -> None:
        if self._take(tokens) != wanted:
            raise ValueError(f"{wanted} expected")
