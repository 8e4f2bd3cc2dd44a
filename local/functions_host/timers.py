"""Timer triggers: NCRONTAB schedules, run on start-up, and runs missed while the host was down.

The time of the last and the next run is kept in the store; a function never runs twice at once.
Source: https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer
"""

import asyncio
import os
import re
import time
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from azure.functions.timer import TimerRequest
from croniter import croniter

from local.functions_host.alarm import Alarm
from local.functions_host.app_loader import App, AppError, Function
from local.functions_host.console import Console
from local.functions_host.history import format_time
from local.functions_host.invocation import Invoker
from local.functions_host.state import StateStore

_INTERVAL = re.compile(r"(?:(\d+)\.)?(\d+):(\d\d):(\d\d)")


class Schedule:
    """When a timer function runs: NCRONTAB with five or six fields, or an interval hh:mm:ss."""

    def __init__(self, text: str, zone: tzinfo = UTC) -> None:
        self._zone = zone
        self._cron = ""
        self._interval: timedelta | None = None
        if match := _INTERVAL.fullmatch(text.strip()):
            days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
            self._interval = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
            if not self._interval:
                raise ValueError("an interval must be longer than nothing")
            return
        fields = text.split()
        if len(fields) not in (5, 6):
            raise ValueError("NCRONTAB has six fields: second minute hour day month weekday")
        self._cron = " ".join(fields if len(fields) == 6 else ["0", *fields])
        croniter(self._cron, second_at_beginning=True)

    def find_next(self, after_s: float) -> float:
        """Find the first run after a Unix time."""
        after = datetime.fromtimestamp(after_s, self._zone)
        if self._interval is not None:
            return (after + self._interval).timestamp()
        following = croniter(self._cron, after, second_at_beginning=True).get_next(datetime)
        return float(following.timestamp())


class TimerRunner:
    """Runs the app's timer functions."""

    def __init__(
        self, app: App, store: StateStore, alarm: Alarm, invoker: Invoker, console: Console
    ) -> None:
        self._store = store
        self._alarm = alarm
        self._invoker = invoker
        self._console = console
        self._running: dict[str, asyncio.Task[None]] = {}
        self.functions = {function.name: function for function in app.by_trigger("timerTrigger")}
        self._schedules = {
            name: _read_schedule(function) for name, function in self.functions.items()
        }

    def start(self) -> None:
        """Plan every timer; run those that are due, or that want to run on start-up, at once."""
        now_s = time.time()
        for name, function in self.functions.items():
            last_s, planned_s = self._store.read_schedule(name)
            uses_monitor = function.trigger.get("useMonitor", True)
            is_past_due = bool(uses_monitor and planned_s is not None and planned_s < now_s)
            if is_past_due or function.trigger.get("runOnStartup"):
                self.fire(name, is_past_due=is_past_due)
            else:
                self._plan(name, last_s)

    def fire(self, name: str, *, is_past_due: bool = False) -> None:
        """Run a timer function now; one that is still running is not started again."""
        if name not in self._running:
            self._running[name] = asyncio.create_task(self._run(name, is_past_due=is_past_due))

    async def stop(self) -> None:
        """Stop waiting for functions that are running."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _run(self, name: str, *, is_past_due: bool) -> None:
        function = self.functions[name]
        started_s = time.time()
        last_s, planned_s = self._store.read_schedule(name)
        self._console.say(f"timer {name} fired{' (past due)' if is_past_due else ''}")
        request = TimerRequest(
            past_due=is_past_due,
            schedule={"AdjustForDST": True},
            schedule_status={
                "Last": _describe_time(last_s),
                "Next": _describe_time(planned_s),
                "LastUpdated": _describe_time(last_s),
            },
        )
        try:
            await self._invoker.call(function, **{function.trigger["name"]: request})
        except Exception as error:  # noqa: BLE001  (a failed run must not end the schedule)
            self._console.tell_failure(f"timer {name} failed", error)
        finally:
            del self._running[name]
        self._plan(name, started_s)

    def _plan(self, name: str, last_s: float | None) -> None:
        next_s = self._schedules[name].find_next(time.time())
        self._store.write_schedule(name, last_s, next_s)
        self._alarm.set(next_s, lambda: self._fire_if_planned(name, next_s))

    def _fire_if_planned(self, name: str, planned_s: float) -> None:
        if self._store.read_schedule(name)[1] == planned_s:  # a manual run planned anew
            self.fire(name)


def _read_schedule(function: Function) -> Schedule:
    zone_name = os.environ.get("WEBSITE_TIME_ZONE")
    try:
        zone = ZoneInfo(zone_name) if zone_name else UTC
        return Schedule(str(function.trigger["schedule"]), zone)
    except (ValueError, KeyError) as error:
        raise AppError(
            f"function {function.name!r} has a schedule this host cannot read: "
            f"{function.trigger.get('schedule')!r}: {error}"
        ) from error


def _describe_time(moment_s: float | None) -> str:
    moment = datetime.fromtimestamp(moment_s or 0, UTC)
    return format_time(moment) if moment_s else "0001-01-01T00:00:00+00:00"
