"""The parts of the simulation against what queueing theory knows of them."""

import math
import random
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simpy import Environment

from ops.capacity.sharing import Processors
from ops.capacity.station import Station
from ops.capacity.window import Window

WINDOW_S = 300.0


def find_mean_wait(servers: int, rate: float, service_s: float) -> float:
    """Erlang's C formula: the mean wait in an M/M/c queue."""
    offered = rate * service_s
    last = offered**servers / math.factorial(servers) * servers / (servers - offered)
    others = sum(offered**number / math.factorial(number) for number in range(servers))
    return last / (others + last) * service_s / (servers - offered)


@pytest.mark.parametrize(("servers", "rate"), [(1, 0.7), (3, 2.4), (8, 6.0)])
def test_wait_at_a_station_is_that_of_erlang(servers: int, rate: float) -> None:
    means = [simulate_station(servers, rate, seed) for seed in range(8)]
    mean = sum(means) / len(means)
    spread = (sum((one - mean) ** 2 for one in means) / (len(means) - 1)) ** 0.5
    # Student's t of 7 degrees of freedom at 99.9 %
    assert abs(mean - find_mean_wait(servers, rate, 1.0)) <= 5.41 * spread / len(means) ** 0.5


def simulate_station(servers: int, rate: float, seed: int) -> float:
    """Answer the mean wait of 2,000 customers."""
    env, dice = Environment(), random.Random(seed)  # noqa: S311
    station = Station(env, "desk", servers)

    def visit() -> Generator[Any, Any, None]:
        yield station.take()
        yield env.timeout(dice.expovariate(1.0))
        station.give()

    def arrive() -> Generator[Any, Any, None]:
        for _ in range(2000):
            yield env.timeout(dice.expovariate(rate))
            env.process(visit())

    env.process(arrive())
    env.run()
    return station.waited_s / 2000


def test_shared_processors_make_everybody_slower_alike() -> None:
    env = Environment()
    processors = Processors(env, 2)
    ended: dict[str, float] = {}

    def work(name: str, at_s: float, work_s: float) -> Generator[Any, Any, None]:
        yield env.timeout(at_s)
        yield processors.run(work_s)
        ended[name] = env.now

    for name, at_s, work_s in (("a", 0, 2), ("b", 0, 4), ("c", 0, 4), ("d", 20, 1)):
        env.process(work(name, at_s, work_s))
    env.run()
    # three on two cores: two thirds of one each; the last two have one each from 3 s on
    assert ended == pytest.approx({"a": 3.0, "b": 5.0, "c": 5.0, "d": 21.0})
    assert processors.busy_s == pytest.approx(11.0)
    assert processors.waited_s == pytest.approx(3.0)


def list_sums(granted: list[tuple[float, float]]) -> Iterator[float]:
    """List what was granted in the window that begins at each grant."""
    for begin, _ in granted:
        yield sum(units for at, units in granted if begin <= at < begin + WINDOW_S - 1e-6)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(0, 120), st.floats(0.01, 250)), min_size=1, max_size=30))
def test_window_is_never_exceeded_and_keeps_its_order(asked: list[tuple[float, float]]) -> None:
    window, now, granted = Window(200.0, WINDOW_S), 0.0, []
    for gap_s, units in asked:
        now += gap_s
        at = window.find_start(units, now)
        window.grant(units, at)
        granted.append((at, min(units, 200.0)))
    assert [at for at, _ in granted] == sorted(at for at, _ in granted)
    assert max(list_sums(granted)) <= 200.0 * (1 + 1e-6)


def test_window_delays_nobody_while_there_is_room() -> None:
    window = Window(200.0, WINDOW_S)
    for second in range(200):
        assert window.find_start(1.0, second) == second
        window.grant(1.0, second)
    assert window.find_start(1.0, 200.0) == 300.0
