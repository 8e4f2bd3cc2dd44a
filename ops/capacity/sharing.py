"""Processors that everybody inside shares evenly, as threads share the cores of a process."""

import heapq
import itertools
import math

from simpy import Environment, Event


class Processors:
    """Cores shared by all work in progress; nobody gets more than one.

    Threads of one Python process share its interpreter: `together` is how much of a core several
    of them get at once. Where they cost each other something it is less than 1; where part of
    what they do needs no interpreter, more.

    The clock of the work runs slower the more there is, so one heap by finishing time on that
    clock is enough: an arrival costs O(log n).
    """

    def __init__(self, env: Environment, cores: float, together: float = math.inf) -> None:
        self._env = env
        self._one = min(1.0, cores)
        self._several = min(cores, together)
        self._clock = 0.0
        """Seconds of work that everybody inside has had since the beginning."""
        self._seen_at = 0.0
        self._inside: list[tuple[float, int, Event]] = []
        self._numbers = itertools.count()
        self._alarm = 0
        self.busy_s = 0.0
        """Core-seconds that were used."""
        self.waited_s = 0.0
        """Seconds that work took longer than it would have alone."""

    def run(self, work_s: float) -> Event:
        """Do work of so many seconds of one core; the event comes when it is done."""
        done = self._env.event()
        self._advance()
        heapq.heappush(self._inside, (self._clock + work_s, next(self._numbers), done))
        self._set_alarm()
        return done

    def _rate(self) -> float:
        count = len(self._inside)
        return self._one if count <= 1 else min(self._one, self._several / count)

    def _advance(self) -> None:
        passed = self._env.now - self._seen_at
        rate = self._rate()
        self._clock += passed * rate
        self.busy_s += passed * rate * len(self._inside)
        self.waited_s += passed * (1 - rate) * len(self._inside)
        self._seen_at = self._env.now

    def _set_alarm(self) -> None:
        self._alarm += 1
        if self._inside:
            number = self._alarm
            left = max(0.0, self._inside[0][0] - self._clock) / self._rate()
            timer = self._env.timeout(left)
            timer.callbacks.append(lambda _: self._ring(number))

    def _ring(self, number: int) -> None:
        if number != self._alarm:
            return  # somebody came meanwhile, and set a later alarm
        self._advance()
        self._clock = max(self._clock, self._inside[0][0])
        while self._inside and self._inside[0][0] <= self._clock:
            heapq.heappop(self._inside)[2].succeed()
        self._set_alarm()
