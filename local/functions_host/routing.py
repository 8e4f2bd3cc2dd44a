"""Route templates of HTTP functions: parameters, constraints, optional and catch-all segments.

It compiles templates and matches paths; it knows no HTTP beyond the method. Precedence is
ASP.NET's: literal before constrained before free before catch-all, segment by segment.
Source: https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-templates
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import unquote

Target = TypeVar("Target")

_PARAMETER = re.compile(
    r"\{(?P<star>\*{0,2})(?P<name>[A-Za-z_]\w*)"
    r"(?P<constraints>(?::[A-Za-z]+(?:\((?:[^()]|\([^()]*\))*\))?)*)"
    r"(?:=(?P<default>[^}?]*))?(?P<optional>\?)?\}"
)
_CONSTRAINT = re.compile(r":([A-Za-z]+)(?:\(((?:[^()]|\([^()]*\))*)\))?")
_GUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)

Check = Callable[[str], bool]


class RouteError(ValueError):
    """A route template is wrong; the message names the function and the part."""


def _fits(pattern: str) -> Callable[[str], Check]:
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda _argument: lambda text: compiled.fullmatch(text) is not None


def _is_whole(bits: int) -> Callable[[str], Check]:
    def check(text: str) -> bool:
        return re.fullmatch(r"[+-]?\d+", text) is not None and (
            -(2 ** (bits - 1)) <= int(text) < 2 ** (bits - 1)
        )

    return lambda _argument: check


def _compare(argument: str, holds: Callable[[int, list[int]], bool]) -> Check:
    bounds = [int(part) for part in argument.split(",")]
    return lambda text: re.fullmatch(r"[+-]?\d+", text) is not None and holds(int(text), bounds)


def _compare_length(argument: str, holds: Callable[[int, list[int]], bool]) -> Check:
    bounds = [int(part) for part in argument.split(",")]
    return lambda text: holds(len(text), bounds)


def _match_regex(argument: str) -> Check:
    compiled = re.compile(argument, re.IGNORECASE)
    return lambda text: compiled.search(text) is not None


_CONSTRAINTS: dict[str, Callable[[str], Check]] = {
    "int": _is_whole(32),
    "long": _is_whole(64),
    "guid": lambda _argument: lambda text: _GUID.fullmatch(text.strip("{}()")) is not None,
    "bool": _fits("true|false"),
    "alpha": _fits("[a-z]*"),
    "datetime": _fits(
        r"\d{4}-\d{2}-\d{2}(?:[t ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:z|[+-]\d{2}:\d{2})?)?"
    ),
    "decimal": _fits(r"[+-]?\d+(?:\.\d+)?"),
    "double": _fits(r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?"),
    "float": _fits(r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?"),
    "min": lambda argument: _compare(argument, lambda value, bounds: value >= bounds[0]),
    "max": lambda argument: _compare(argument, lambda value, bounds: value <= bounds[0]),
    "range": lambda argument: _compare(
        argument, lambda value, bounds: bounds[0] <= value <= bounds[1]
    ),
    "length": lambda argument: _compare_length(
        argument, lambda size, bounds: bounds[0] <= size <= bounds[-1]
    ),
    "minlength": lambda argument: _compare_length(argument, lambda size, b: size >= b[0]),
    "maxlength": lambda argument: _compare_length(argument, lambda size, b: size <= b[0]),
    "regex": _match_regex,
    "required": lambda _argument: lambda text: text != "",
}


@dataclass(frozen=True, slots=True)
class _Parameter:
    name: str
    checks: tuple[Check, ...]
    default: str | None
    is_optional: bool


@dataclass(frozen=True, slots=True)
class Route(Generic[Target]):
    """One compiled template."""

    template: str
    methods: frozenset[str]
    """Upper case; empty means any."""
    target: Target
    pattern: re.Pattern[str]
    parameters: tuple[_Parameter, ...]
    precedence: tuple[int, ...]

    def match(self, path: str) -> dict[str, str] | None:
        """Return the parameters of a path that fits, else None."""
        found = self.pattern.fullmatch(path)
        if found is None:
            return None
        values: dict[str, str] = {}
        for index, parameter in enumerate(self.parameters):
            raw = found.group(f"p{index}")
            value = parameter.default if not raw else unquote(raw)
            if value is None:
                continue
            if not all(check(value) for check in parameter.checks):
                return None
            values[parameter.name] = value
        return values


class Router(Generic[Target]):
    """Finds the route of a request."""

    def __init__(self, routes: Iterable[Route[Target]]) -> None:
        self.routes = sorted(routes, key=lambda route: route.precedence)

    def find(self, method: str, path: str) -> tuple[Target, dict[str, str]] | None:
        """Find the target and the route parameters; `path` is still percent-encoded."""
        trimmed = path.strip("/")
        for route in self.routes:
            if not route.methods or method in route.methods:
                values = route.match(trimmed)
                if values is not None:
                    return route.target, values
        return None


def compile_route(
    template: str, methods: Iterable[str], target: Target, *, where: str
) -> Route[Target]:
    """Compile a template.

    Raises:
        RouteError: the template is malformed or has a constraint that does not exist.
    """
    parameters: list[_Parameter] = []
    pattern = ""
    precedence: list[int] = []
    for segment in _split(template.strip("/")):
        text, rank, may_be_absent = _compile_segment(segment, parameters, where)
        separator = "/" if pattern else ""
        pattern += f"(?:{separator}{text})?" if may_be_absent else f"{separator}{text}"
        precedence.append(rank)
    return Route(
        template=template,
        methods=frozenset(method.upper() for method in methods),
        target=target,
        pattern=re.compile(pattern, re.IGNORECASE),
        parameters=tuple(parameters),
        precedence=(*precedence, 0),
    )


def _split(template: str) -> list[str]:
    """Split at slashes that are outside of braces (a regex constraint may hold one)."""
    segments, depth = [""], 0
    for char in template:
        depth += (char == "{") - (char == "}")
        if char == "/" and depth == 0:
            segments.append("")
        else:
            segments[-1] += char
    return [segment for segment in segments if segment]


def _compile_segment(
    segment: str, parameters: list[_Parameter], where: str
) -> tuple[str, int, bool]:
    """Return the pattern of a segment, its rank, and whether the path may end before it."""
    pattern, position = "", 0
    rank, may_be_absent = 1, False
    for match in _PARAMETER.finditer(segment):
        pattern += _compile_literal(segment[position : match.start()], where)
        position = match.end()
        checks = _compile_constraints(match["constraints"], where)
        is_whole_segment = match[0] == segment
        is_optional = match["optional"] is not None or match["default"] is not None
        parameter = _Parameter(match["name"], checks, match["default"], is_optional)
        group = f"p{len(parameters)}"
        parameters.append(parameter)
        if match["star"]:
            pattern += f"(?P<{group}>.*)"
            rank, may_be_absent = (5 if not checks else 4), True
        else:
            pattern += f"(?P<{group}>[^/]+)"
            rank = max(rank, 2 if checks or not is_whole_segment else 3)
            may_be_absent = is_optional and is_whole_segment
    return pattern + _compile_literal(segment[position:], where), rank, may_be_absent


def _compile_literal(text: str, where: str) -> str:
    if "{" in text or "}" in text:
        raise RouteError(f"{where}: the route has a malformed parameter near {text!r}")
    return re.escape(text)


def _compile_constraints(text: str, where: str) -> tuple[Check, ...]:
    checks = []
    for name, argument in _CONSTRAINT.findall(text):
        build = _CONSTRAINTS.get(name.lower())
        if build is None:
            raise RouteError(
                f"{where}: the route constraint {name!r} does not exist; there are "
                f"{', '.join(sorted(_CONSTRAINTS))}"
            )
        try:
            checks.append(build(argument))
        except (ValueError, re.error) as error:
            raise RouteError(f"{where}: {name}({argument}) is no constraint: {error}") from error
    return tuple(checks)
