"""Evaluates rules as Azure does: the rows of the window, one number for each dimension, a limit.

Source: https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-types#log-alerts
"""

import operator
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from local.app_insights.envelopes import Row
from local.app_insights.kusto import Kusto
from tests.alerts.rules import Rule

_OPERATORS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqual": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqual": operator.le,
}
_AGGREGATIONS: Final[Mapping[str, Callable[[list[float]], float]]] = {
    "Average": lambda values: sum(values) / len(values),
    "Maximum": max,
    "Minimum": min,
    "Total": sum,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a rule."""

    fires: bool
    values: tuple[float, ...]
    """One for each dimension; none when the query answers no row, and nothing is alerted of."""


@dataclass(slots=True)
class Telemetry:
    """Rows that were collected, as they are at one instant."""

    rows: Mapping[str, Sequence[Row]]
    now: datetime
    _opened: dict[int, Kusto] = field(default_factory=dict)

    def look_back(self, minutes: int) -> Kusto:
        """Open the rows of the latest minutes."""
        if minutes not in self._opened:
            since = self.now - timedelta(minutes=minutes)
            self._opened[minutes] = Kusto(
                {
                    table: [row for row in rows if since < _read_instant(row) <= self.now]
                    for table, rows in self.rows.items()
                }
            )
        return self._opened[minutes]

    def ask(self, query: str, minutes: int = 2 * 1440) -> list[dict[str, Any]]:
        """Run a query on the latest minutes."""
        return self.look_back(minutes).query(query, now=self.now).to_plain()

    def judge(self, rule: Rule) -> Verdict:
        """Evaluate a rule once."""
        dimensions = rule.plain.get("dimensions", [])
        measured: dict[tuple[Any, ...], list[float]] = defaultdict(list)
        for row in self.ask(rule.query, rule.window_min):
            value = row[rule.column]
            if value is not None:
                measured[tuple(row[name] for name in dimensions)].append(float(value))
        aggregate = _AGGREGATIONS[rule.plain["measure"]["aggregation"]]
        values = tuple(aggregate(numbers) for numbers in measured.values())
        compare = _OPERATORS[rule.plain["operator"]]
        return Verdict(any(compare(value, rule.plain["threshold"]) for value in values), values)

    def close(self) -> None:
        """Free the memory."""
        for kusto in self._opened.values():
            kusto.close()
        self._opened.clear()


def _read_instant(row: Row) -> datetime:
    return datetime.fromisoformat(row["timestamp"])
