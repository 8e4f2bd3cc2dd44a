"""A number of places and a queue for them, in the order in which they were asked for."""

from collections import deque

from simpy import Environment, Event


class Station:
    """Places that are taken and given back; it keeps the accounts that Little's law speaks of.

    Other than `simpy.Resource` it may grow and shrink, and integrates what stands in it.
    """

    def __init__(self, env: Environment, name: str, capacity: int) -> None:
        self._env = env
        self.name = name
        self.capacity = capacity
        self.taken = 0
        self._queue: deque[Event] = deque()
        self._seen_at = 0.0
        self.busy_s = 0.0
        """Place-seconds that were taken."""
        self.offered_s = 0.0
        """Place-seconds that there were."""
        self.waited_s = 0.0
        """Seconds that were spent in the queue, by all."""
        self.longest = 0
        """Most that waited at once."""

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._queue)

    def take(self) -> Event:
        """Ask for a place; the event comes when it is there."""
        self.account()
        place = self._env.event()
        if self.taken < self.capacity and not self._queue:
            self.taken += 1
            place.succeed()
        else:
            self._queue.append(place)
            self.longest = max(self.longest, len(self._queue))
        return place

    def give(self) -> None:
        """Give a place back."""
        self.account()
        self.taken -= 1
        self._fill()

    def resize(self, capacity: int) -> None:
        """Change the number of places; those that are taken beyond it are not given anew."""
        self.account()
        self.capacity = capacity
        self._fill()

    def account(self) -> None:
        """Bring the accounts up to now."""
        passed = self._env.now - self._seen_at
        if passed:
            self.busy_s += passed * self.taken
            self.offered_s += passed * self.capacity
            self.waited_s += passed * len(self._queue)
            self._seen_at = self._env.now

    def _fill(self) -> None:
        while self._queue and self.taken < self.capacity:
            self.taken += 1
            self._queue.popleft().succeed()
