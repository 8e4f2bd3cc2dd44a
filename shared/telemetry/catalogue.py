"""Writes docs/telemetry.md from the types: `python -m shared.telemetry.catalogue`.

A test compares, so that the document cannot say anything else than the code.
"""

import ast
import inspect
import itertools
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Final

from shared.telemetry import events
from shared.telemetry.events import EVENTS, Event
from shared.telemetry.metrics import METRICS, Metric
from shared.telemetry.spans import SPANS

_UNITS: Final = (("_ms", "ms"), ("_s", "s"), ("_usd", "USD"), ("days_left", "days"))
_COMMON: Final = {
    "jobId": "Instance id of the job.",
    "correlationId": "Id of the job's trace, its `operation_Id`.",
    "variant": "Number of the variant, from 1.",
    "verdict": "`none`, `user`, `policy`, or a fault of the system: `retry`, `bug`.",
    "llmProvider": "Who served; `none` where nobody did.",
}
_INTRODUCTION: Final = """# Telemetry

<!-- Written by `python -m shared.telemetry.catalogue`: do not edit. -->

Everything that the app tells of itself. How it gets to Application Insights or Prometheus, and
how to look at it: [observability](observability.md). No code, prompt, comment or e-mail address is
in any of it; a person is a keyed hash.

## Events

Rows of `customEvents`: dimensions are texts of `customDimensions`, measurements are numbers of
`customMeasurements`. Events are never sampled. Each is sent by a step, an entity, a timer or the
webhook, never by an orchestrator, which replays.
"""
_METRICS: Final = """
## Metrics

Rows of `customMetrics`; a row is what came within a minute: `valueSum`, `valueCount`, `valueMin`,
`valueMax`. There are no percentiles in it: find them in the measurements of events. Prometheus has
each under its own name, in seconds instead of milliseconds.

| metric | kind | unit | dimensions | what it is | when it is sent | Prometheus |
|---|---|---|---|---|---|---|
"""
_SPANS: Final = """
## Spans

One trace for each command: `operation_Id` is the correlation id of the job's rows, comments and
events. Spans are rows of `dependencies`; the request that began the trace is the host's, in
`requests`. `CODE_AGENT_TRACE_RATIO` is the part that is exported.

| span | kind | attributes | what it is |
|---|---|---|---|
"""
_EXCEPTIONS: Final = """
## Exceptions

Rows of `exceptions`, one for each final failure of the system (verdict `retry` or `bug`), and none
for a try that is repeated: `type` is the code, such as `model.none_available`; dimensions are
`component` (the code's area), `operation`, `verdict`, `jobId`, `correlationId`.
"""


def write_catalogue() -> str:
    """Write the whole document."""
    return "".join(
        [
            _INTRODUCTION,
            *(_write_event(event) for event in EVENTS),
            _METRICS,
            *(_write_metric(metric) for metric in METRICS),
            _SPANS,
            *(f"| `{s.name}` | {s.kind} | {_quote(s.attributes)} | {s.meaning} |\n" for s in SPANS),
            _EXCEPTIONS,
        ]
    )


def _write_event(event: type[Event]) -> str:
    told = " ".join(inspect.cleandoc(event.__doc__ or "").split())
    explained = _COMMON | dict(_list_docstrings(event.__name__))
    lines = [f"\n### `{event.name}`\n\n{told}\n\n", "| field | kind | meaning |\n|---|---|---|\n"]
    for field in fields(event):
        kind = "dimension"
        if field.name in event.measurements:
            unit = next((unit for end, unit in _UNITS if field.name.endswith(end)), "number")
            kind = f"measurement, {unit}"
        lines.append(f"| `{field.name}` | {kind} | {explained.get(field.name, '')} |\n")
    return "".join(lines)


def _write_metric(metric: Metric) -> str:
    return (
        f"| `{metric.name}` | {metric.kind} | {metric.unit} | {_quote(metric.dimensions)} "
        f"| {metric.meaning} | {metric.sent} | `{metric.exposed}` {_quote(metric.labels)} |\n"
    )


def _quote(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _list_docstrings(class_name: str) -> Iterator[tuple[str, str]]:
    """List the fields of an event that have a text below them, with the text."""
    module = ast.parse(inspect.getsource(events))
    body = next(
        node.body
        for node in module.body
        if isinstance(node, ast.ClassDef) and node.name == class_name
    )
    for field, told in itertools.pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(told, ast.Expr)
            and isinstance(told.value, ast.Constant)
        ):
            yield field.target.id, " ".join(str(told.value.value).split())


if __name__ == "__main__":
    Path("docs/telemetry.md").write_text(write_catalogue(), encoding="utf-8")
