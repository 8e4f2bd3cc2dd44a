"""One host process serves most tests; a test that kills its host gets one of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.local.functions_host.hosting import SAMPLES, HostProcess


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    running = HostProcess(
        SAMPLES / "patterns",
        tmp_path_factory.mktemp("host"),
        {"SHAPES_SETTING": "from the environment"},
    ).start()
    yield running
    assert running.stop() == 0


@pytest.fixture
def start_host(tmp_path: Path) -> Iterator[Callable[..., HostProcess]]:
    started: list[HostProcess] = []

    def start(sample: str, **environment: str) -> HostProcess:
        process = HostProcess(SAMPLES / sample, tmp_path, environment).start()
        started.append(process)
        return process

    yield start
    for process in started:
        if process.process is not None and process.process.poll() is None:
            process.kill()
