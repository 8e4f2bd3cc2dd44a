"""Computes the expressions of a Logic App's actions, as far as our relays use them.

Source: https://learn.microsoft.com/azure/logic-apps/workflow-definition-language-functions-reference
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote

_TOKEN: Final = re.compile(r"\s*(?:'((?:[^']|'')*)'|(\d+)|(\w+)|(\?\[|[\[\](),]))")
_WHOLE: Final = re.compile(r"@\{(.*)\}", re.DOTALL)


def _to_text(value: Any) -> str:
    return "" if value is None else str(value)


def _take(value: Any, count: int) -> Any:
    if value is None:
        raise WorkflowError("take() of null")
    return value[:count]


def _replace(text: Any, old: str, new: str) -> str:
    if not isinstance(text, str):
        raise WorkflowError("replace() of what is no text")
    return text.replace(old, new)


_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "coalesce": lambda *values: next((value for value in values if value is not None), None),
    "concat": lambda *parts: "".join(map(_to_text, parts)),
    "createArray": lambda *items: list(items),
    "decodeUriComponent": unquote,
    "equals": lambda first, second: first == second,
    "first": lambda values: values[0] if values else None,
    "if": lambda condition, first, second: first if condition else second,
    "replace": _replace,
    "take": _take,
    "utcNow": lambda: "2026-11-25T12:00:00.0000000Z",
}


class WorkflowError(Exception):
    """An action would fail here."""


class Workflow:
    """The expressions of one run."""

    def __init__(self, trigger: Any, outputs: Mapping[str, Any]) -> None:
        """Take the body of the trigger, and the bodies of earlier actions by name."""
        self._functions: dict[str, Callable[..., Any]] = {
            **_FUNCTIONS,
            "triggerBody": lambda: trigger,
            "body": lambda action: outputs[action],
        }
        self._tokens: list[tuple[str, str]] = []

    def compute(self, template: Any) -> Any:
        """Compute whatever has expressions in it."""
        if isinstance(template, dict):
            return {key: self.compute(value) for key, value in template.items()}
        if isinstance(template, list):
            return [self.compute(value) for value in template]
        whole = _WHOLE.fullmatch(template) if isinstance(template, str) else None
        return _to_text(self._evaluate(whole[1])) if whole else template

    def _evaluate(self, text: str) -> Any:
        self._tokens = _split(text)
        value = self._read_value()
        if self._tokens:
            raise WorkflowError(f"not understood: {self._tokens[0][1]!r}")
        return value

    def _read_value(self) -> Any:
        kind, text = self._tokens.pop(0)
        if kind == "text":
            value: Any = text.replace("''", "'")
        elif kind == "number":
            value = int(text)
        elif kind == "name":
            value = self._call(text)
        else:
            raise WorkflowError(f"unexpected {text!r}")
        while self._tokens and self._tokens[0] in (("sign", "?["), ("sign", "[")):
            is_careful = self._tokens.pop(0)[1] == "?["
            value = _look_up(value, self._read_value(), is_careful=is_careful)
            self._expect("]")
        return value

    def _call(self, name: str) -> Any:
        self._expect("(")
        arguments = []
        while self._tokens[0] != ("sign", ")"):
            arguments.append(self._read_value())
            if self._tokens[0] == ("sign", ","):
                self._tokens.pop(0)
        self._expect(")")
        if name not in self._functions:
            raise WorkflowError(f"no function {name}")
        return self._functions[name](*arguments)

    def _expect(self, sign: str) -> None:
        if not self._tokens or self._tokens.pop(0) != ("sign", sign):
            raise WorkflowError(f"{sign!r} is missing")


def _look_up(value: Any, key: Any, *, is_careful: bool) -> Any:
    if value is None and is_careful:
        return None
    if not isinstance(value, dict):
        raise WorkflowError(f"{key!r} of what is no object")
    if key not in value and not is_careful:
        raise WorkflowError(f"there is no {key!r}")
    return value.get(key)


def _split(text: str) -> list[tuple[str, str]]:
    tokens, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise WorkflowError(f"cannot be read: {text[at : at + 20]!r}")
        kinds = ("text", "number", "name", "sign")
        kind = next(
            kind for kind, part in zip(kinds, match.groups(), strict=True) if part is not None
        )
        tokens.append((kind, match[kinds.index(kind) + 1]))
        at = match.end()
    return tokens
