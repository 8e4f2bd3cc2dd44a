"""Everything that is drawn by lot, from one seed: arrivals, times of steps, times of a model."""

import math
import random
from collections.abc import Iterator
from itertools import pairwise

from ops.capacity.calibration import Calibration
from ops.capacity.scenario import Load


class Chance:
    """The same seed and the same order of questions give the same answers."""

    def __init__(self, load: Load, calibration: Calibration) -> None:
        self._load = load
        self._steps = calibration.steps
        self._model_times_s = iter(load.model_times_s)
        # apart, so that runs with other resources meet the same arrivals
        self._people = random.Random(f"people {load.seed}")  # noqa: S311 - reproducible, no secret
        self._dice = random.Random(f"steps {load.seed}")  # noqa: S311
        self._authors = random.Random(f"authors {load.seed}")  # noqa: S311

    def list_gaps_s(self) -> Iterator[float]:
        """List the seconds between commands; people do not agree on when they write."""
        if self._load.arrivals:
            yield from (b - a for a, b in pairwise((0.0, *self._load.arrivals)))
            return
        while True:
            yield self._people.expovariate(self._load.jobs_per_hour / 3600)

    def draw_step_s(self, step: str) -> float:
        """Draw what a step took, of what was measured."""
        return self._dice.choice(self._steps[step])

    def draw_model_s(self) -> float:
        """Draw the seconds of one call to the model: as is known, else lognormal."""
        known_s = next(self._model_times_s, None)
        if known_s is not None:
            return known_s
        return self._dice.lognormvariate(math.log(self._load.model_s), self._load.model_sigma)

    def draw_latency_s(self, mean_s: float) -> float:
        """Draw the seconds that somebody else's service takes; half of the mean is fixed."""
        return mean_s / 2 + (self._dice.expovariate(2 / mean_s) if mean_s else 0.0)

    def draw_part(self) -> float:
        """Draw a number from 0 to 1."""
        return self._dice.random()

    def draw_person(self) -> int:
        """Draw who has written a command."""
        return self._authors.randrange(self._load.people)

    def draw_partition(self, count: int) -> int:
        """Draw the control queue of an instance: its id is hashed."""
        return self._dice.randrange(count)
